// What is measured, as a table.
//
// plan:      how the mock answers (tests/mock/plan.h)
// load:      options of the load generator; quick: those that differ
// sides:     who is measured, in this order in each round
// expect:    content deltas that each stream must bring
// announce:  take the memory while all streams are open

const small = { chunks: 20 };
const plain = ['floor', 'relay', 'single', 'normal', 'mysql'];
const budgets = ['none', 'five', 'noneMysql', 'fiveMysql'];
const both = ['floor', 'relay'];
const tls = ['floorTls', 'relayTls'];

export const scenarios = [
  {
    name: 'slow-2000', title: 'slow streams', once: true, sides: both,
    plan: { chunks: 12, chunk_delay_ms: 1000 }, expect: 12, announce: true,
    load: { connections: 2000, requests: 2000, ramp: 1000 },
    quick: { connections: 500, requests: 500 },
  },
  {
    name: 'small-1', title: 'small, c=1', plan: small, sides: plain,
    load: { connections: 1, requests: 1000 }, quick: { requests: 300 },
  },
  {
    name: 'small-16', title: 'small, c=16', plan: small, sides: plain,
    load: { connections: 16, requests: 8000 }, quick: { requests: 3000 },
  },
  {
    name: 'small-64', title: 'small, c=64', plan: small,
    sides: [...plain, ...budgets],
    load: { connections: 64, requests: 12000 }, quick: { requests: 4000 },
  },
  {
    name: 'accounts-64', title: 'small, c=64, of 1,000 accounts', plan: small,
    sides: ['relay', 'thousand'],
    load: { connections: 64, requests: 12000 }, quick: { requests: 4000 },
  },
  {
    name: 'pools-2', title: 'answer after 50 ms, c=8 a pool',
    plan: { ...small, head_delay_ms: 50 }, sides: ['floor', 'relay', 'pair'],
    load: { connections: 8, requests: 1000 }, quick: { requests: 300 },
  },
  {
    name: 'body-300k', title: '300 KB body, c=16', plan: small, sides: both,
    load: { connections: 16, requests: 1200, body: 300000 },
    quick: { requests: 400 },
  },
  {
    name: 'stream-first', title: 'short stream, c=1', sides: both,
    plan: { chunks: 3 }, expect: 3,
    load: { connections: 1, requests: 500 }, quick: { requests: 150 },
  },
  {
    name: 'stream-50', title: 'stream of 50 chunks, c=64', sides: both,
    plan: { chunks: 50, chunk_delay_ms: 20 }, expect: 50,
    load: { connections: 64, requests: 192, ramp: 300 },
    quick: { requests: 64 },
  },
  {
    name: 'tls-64', title: 'small, c=64, TLS upstream', plan: small,
    sides: tls, once: true,
    load: { connections: 64, requests: 8000 }, quick: { requests: 2000 },
  },
  {
    name: 'tls-slow', title: 'slow streams, TLS upstream', sides: tls,
    once: true, plan: { chunks: 8, chunk_delay_ms: 1000 }, expect: 8,
    announce: true, load: { connections: 500, requests: 500, ramp: 2000 },
    quick: { connections: 200, requests: 200 },
  },
];
