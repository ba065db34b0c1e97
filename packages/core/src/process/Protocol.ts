/**
 * What parent and workers say to each other: the Schema of every message.
 *
 * When to reach for it: to add a kind of message between processes. A package above core makes its own kinds and gives
 * them to `Channel.make` beside these: `[...Protocol.fromWorker, KeyRequest]`.
 * What it is not: how messages travel (`Channel`), or what an app says to its other workers (`Message`).
 * Kore: http §15.
 */
import * as Schema from "effect/Schema"
import { FiberRow } from "./FiberRow.ts"

/**
 * One kind of message: a struct with a `_tag` that has a form in JSON and needs no services.
 *
 * @example
 * ```ts
 * const KeyRequest: Protocol.Kind = Schema.TaggedStruct("KeyRequest", { domain: Schema.String })
 * ```
 */
export type Kind = Schema.Codec<{ readonly _tag: string }, unknown>

/** The longest message in bytes, as a line of JSON; a longer one is reported and dropped by whoever receives it. */
export const messageLimit = 16 * 1024 * 1024

// --- the life of a worker --------------------------------------------------------------------------------------------

/** The worker's Layer is built: it accepts connections. */
export const Ready = Schema.TaggedStruct("Ready", {})

/** The worker cannot do its work and is about to exit with status 1. */
export const Failed = Schema.TaggedStruct("Failed", {
  /** Why, for people. */
  reason: Schema.String,
  /** Another try would end the same way, as with a mistake in the configuration: the parent does not make one. */
  final: Schema.optionalKey(Schema.Boolean)
})

/** The worker's app has given up: it exits with status 1 right now. */
export const Fatal = Schema.TaggedStruct("Fatal", {
  /** Why, for people; the worker has written it to its log. */
  reason: Schema.String,
  /** The whole server is to end with it. */
  server: Schema.Boolean
})

/** The exit status that stands for a `Fatal` about the whole server that the worker could not send. */
export const fatalStatus = 114

/** The worker was told to stop by somebody else than the parent, and drains. */
export const Stopping = Schema.TaggedStruct("Stopping", {})

/** The worker's app asks for the whole server to be stopped in order. */
export const Shutdown = Schema.TaggedStruct("Shutdown", {})

/** Accept nothing any more, finish what runs, exit. */
export const Drain = Schema.TaggedStruct("Drain", {})

/** Do what this signal stands for: the parent got it, and it is for all workers. */
export const Signalled = Schema.TaggedStruct("Signalled", { signal: Schema.Literal("SIGUSR1") })

// --- messages of apps; see Message, Mailbox and Relay ----------------------------------------------------------------

/**
 * How much a worker may have under way, in messages and in UTF-16 units of their names and bodies, before it waits. A
 * message is under way until every worker that it is for has begun to handle it, or has ended.
 */
export const window = { messages: 1024, size: messageLimit } as const

/** What a message takes of the window. */
export const sizeOf = (message: { readonly name: string; readonly body: string }): number =>
  message.name.length + message.body.length

/** Carry a message to one worker, or to all of them. */
export const Send = Schema.TaggedStruct("Send", {
  /** The sender's number for it. */
  id: Schema.Int,
  /** The receiver; without it, every worker. */
  worker: Schema.optionalKey(Schema.Int),
  /** Without a receiver: whether the sender gets it too. */
  echo: Schema.Boolean,
  /** The name of the kind of message. */
  name: Schema.String,
  /** The value as JSON. */
  body: Schema.String
})

/** A message for this worker. */
export const Deliver = Schema.TaggedStruct("Deliver", {
  /** The parent's number for it. */
  id: Schema.Int,
  /** The worker that sent it. */
  from: Schema.Int,
  name: Schema.String,
  body: Schema.String
})

/** The worker has begun to handle the message that it got with this number. */
export const Taken = Schema.TaggedStruct("Taken", { id: Schema.Int })

/** The message that the worker sent with this number is not under way any more. */
export const Settled = Schema.TaggedStruct("Settled", { id: Schema.Int })

// --- looking into a worker -------------------------------------------------------------------------------------------

/** Which fibers run? */
export const ListFibers = Schema.TaggedStruct("ListFibers", {
  /** The number of the question. */
  id: Schema.Int,
  /** How many bytes the rows may take. */
  size: Schema.Int
})

/** These do. */
export const Fibers = Schema.TaggedStruct("Fibers", {
  /** The number of the question. */
  id: Schema.Int,
  /** The first of them, as many as fit. */
  rows: Schema.Array(FiberRow),
  /** How many there are. */
  total: Schema.Int,
  /** Why they could not be listed. */
  problem: Schema.optionalKey(Schema.String)
})

// --- all of them -----------------------------------------------------------------------------------------------------

/** The kinds that a worker sends and the parent understands. */
export const fromWorker = [Ready, Failed, Fatal, Stopping, Shutdown, Send, Taken, Fibers] as const

/** The kinds that the parent sends and a worker understands. */
export const toWorker = [Drain, Deliver, Settled, ListFibers, Signalled] as const

/** A message from a worker to the parent. */
export type FromWorker = (typeof fromWorker)[number]["Type"]

/** A message from the parent to a worker. */
export type ToWorker = (typeof toWorker)[number]["Type"]

/**
 * Reads and writes messages of some kinds as one line of JSON.
 *
 * @example
 * ```ts
 * const program = Schema.decodeEffect(Protocol.codec(Protocol.toWorker))(`{"_tag":"Drain"}`)
 * ```
 */
export const codec = <const Kinds extends ReadonlyArray<Kind>>(
  kinds: Kinds
): Schema.Codec<Kinds[number]["Type"], string> => Schema.fromJsonString(Schema.toCodecJson(Schema.Union(kinds)))
