/**
 * The seam to Node's HTTP client of `@effect/platform-node`.
 *
 * When to reach for it: `Test` alone, and only when a test asks.
 * What it is not: something that workers load.
 */
export * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
