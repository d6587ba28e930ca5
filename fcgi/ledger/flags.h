#ifndef LEDGER_FLAGS_H_
#define LEDGER_FLAGS_H_

/** The column ledger.state. */
enum ledger_state {
	LEDGER_OPEN,
	LEDGER_SETTLED,
	LEDGER_REAPED,			/* its responder died: estimated */
	LEDGER_CORRECTED,		/* ... and its settlement came late */
	LEDGER_VOID			/* never was */
};

/** What the column ledger.flags says of a row; any of them together. */
enum ledger_flag {
	LEDGER_FLAG_OVERRUN = 1,	/* it cost more than was reserved */
	LEDGER_FLAG_IMPLAUSIBLE = 2,	/* the upstream stated what cannot be */
	LEDGER_FLAG_BOUNDED = 4,	/* and less than that was charged */
	LEDGER_FLAG_UNPRICED = 8,	/* nothing is known of its price */
	LEDGER_FLAG_DEFAULT = 16,	/* charged at the default price */
	LEDGER_FLAG_BATCH = 32		/* made a batch, or read its results:
					   the row that read them first has the
					   usage of all of it */
};

#endif /* !LEDGER_FLAGS_H_ */
