// Random numbers that can be had again: the same seed makes the same choices.
export class Dice {
	constructor(seed) {
		this.state = seed >>> 0;
	}

	// mulberry32, a public-domain generator; 0 <= n < 1.
	next() {
		this.state = this.state + 0x6d2b79f5 >>> 0;
		let t = this.state;
		t = Math.imul(t ^ t >>> 15, t | 1);
		t ^= t + Math.imul(t ^ t >>> 7, t | 61);
		return ((t ^ t >>> 14) >>> 0) / 4294967296;
	}

	// An integer from ... to, both included.
	int(from, to) {
		return from + Math.floor(this.next() * (to - from + 1));
	}

	chance(share) {
		return this.next() < share;
	}

	of(list) {
		return list[this.int(0, list.length - 1)];
	}
}
