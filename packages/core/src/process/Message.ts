/**
 * What parent and workers say to each other: the Schema of every message.
 *
 * When to reach for it: to add a kind of message. A package above core makes its own kinds and gives them to
 * `Channel.make` beside these: `[...Message.fromWorker, Broadcast]`.
 * What it is not: how messages travel; see `Channel`. Kore: http §15.
 */
import * as Schema from "effect/Schema"

/** One kind of message: a struct with a `_tag` that has a form in JSON and needs no services. */
export type Kind = Schema.Codec<{ readonly _tag: string }, unknown>

/** The worker's Layer is built: it accepts connections. */
export const Ready = Schema.TaggedStruct("Ready", {})

/** The worker cannot do its work and is about to exit with status 1. */
export const Failed = Schema.TaggedStruct("Failed", {
  /** Why, for people. */
  reason: Schema.String,
  /** Another try would end the same way, as with a mistake in the configuration: the parent does not make one. */
  final: Schema.optionalKey(Schema.Boolean)
})

/** The worker was told to stop by somebody else than the parent, and drains. */
export const Stopping = Schema.TaggedStruct("Stopping", {})

/** Accept nothing any more, finish what runs, exit. */
export const Drain = Schema.TaggedStruct("Drain", {})

/** The kinds that a worker sends and the parent understands. */
export const fromWorker = [Ready, Failed, Stopping] as const

/** The kinds that the parent sends and a worker understands. */
export const toWorker = [Drain] as const

/** A message from a worker to the parent. */
export type FromWorker = (typeof fromWorker)[number]["Type"]

/** A message from the parent to a worker. */
export type ToWorker = (typeof toWorker)[number]["Type"]

/** Reads and writes messages of some kinds as one line of JSON. */
export const codec = <const Kinds extends ReadonlyArray<Kind>>(
  kinds: Kinds
): Schema.Codec<Kinds[number]["Type"], string> => Schema.fromJsonString(Schema.toCodecJson(Schema.Union(kinds)))
