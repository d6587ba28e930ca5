#include "base/num.h"
#include "ledger/usage.h"

int64_t
usage_input(const struct usage *u)
{

	return (num_add_sat(num_add_sat(u->input_tokens,
	    u->cache_read_tokens), num_add_sat(u->cache_write_5m_tokens,
	    u->cache_write_1h_tokens)));
}

int64_t
usage_tokens(const struct usage *u)
{

	return (num_add_sat(usage_input(u), u->output_tokens));
}
