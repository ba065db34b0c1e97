/**
 * The two tables of `node:http` that the transport needs.
 *
 * When to reach for it: instead of an import, which would evaluate all of Node's HTTP, undici and TLS with it: 40 ms of CPU
 * for every process.
 * What it is not: a way to Node's servers and clients.
 */
export const { METHODS, STATUS_CODES } = process.getBuiltinModule("node:http")
