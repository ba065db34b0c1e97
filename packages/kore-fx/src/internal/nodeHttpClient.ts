export * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
