/**
 * Messages between the workers of a server: typed, checked on both sides, carried by the parent.
 *
 * When to reach for it: something happened in one worker that the others must know, such as a cache entry that is stale.
 * What it is not: shared memory, a queue that survives a restart, or a way to other servers.
 *
 * Promises: what one worker sends arrives in the order in which it was sent, once in each worker that it is for. It is
 * JSON that a Schema has checked, so nothing that arrives is executed; what does not fit is reported and dropped.
 *
 * That it arrives is not promised: a message for a worker that is not running, or that ends before it has begun to handle
 * it, is lost. The parent counts those, and says so in its log when the worker is back. A worker that is starting gets
 * what was sent meanwhile when its Layer is built. A worker that has no handler for a message ignores it.
 *
 * A worker may have 1024 messages or 16 MiB of them under way, which is until all receivers have begun to handle them;
 * then sending waits. So a handler that sends that many of its own kind to its own worker waits for itself.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Protocol from "./process/Protocol.ts"
import * as Tracer from "./Tracer.ts"

/** What marks a kind of message. */
export const TypeId = "~@kore-fx/core/Message"

/**
 * A kind of message with values of type `A`. Made by `make`.
 *
 * @example
 * ```ts
 * const Stale: Message.Message<{ readonly key: string }> = Message.make("stale", Schema.Struct({ key: Schema.String }))
 * ```
 */
export interface Message<in out A> {
  readonly [TypeId]: typeof TypeId
  readonly name: string
  /** Writes a value as JSON. */
  readonly encode: (value: A) => Effect.Effect<string, Schema.SchemaError>
  /** Reads a value from JSON. */
  readonly decode: (body: string) => Effect.Effect<A, Schema.SchemaError>
}

// --- the service -----------------------------------------------------------------------------------------------------

/** A message on its way out of a worker. */
export interface Outgoing {
  readonly name: string
  /** The value as JSON. */
  readonly body: string
  /** The receiver, a number that a worker has; undefined: every worker. */
  readonly worker: number | undefined
  /** Without a receiver: whether the sender gets it too. */
  readonly echo: boolean
}

/** A message that has come into a worker. */
export interface Incoming {
  /** The number of the worker that sent it. */
  readonly from: number
  /** The value as JSON. */
  readonly body: string
}

/**
 * What carries the messages of a worker; every worker has it, and so has an app in `Kore.test`.
 *
 * @example
 * ```ts
 * const program = Message.Messages.use((messages) => Effect.log(`one of ${messages.workers} workers`))
 * ```
 */
export class Messages extends Context.Service<Messages, {
  /** How many workers the server has; their numbers are 1 to this one. */
  readonly workers: number
  /** Sends a message and waits until the system has it. */
  readonly send: (message: Outgoing) => Effect.Effect<void>
  /** Collects messages by their name until the scope closes. The inner effect takes the next one, which is handled then. */
  readonly subscribe: (name: string) => Effect.Effect<Effect.Effect<Incoming>, never, Scope.Scope>
}>()("@kore-fx/core/Message/Messages") {}

// --- errors ----------------------------------------------------------------------------------------------------------

/** There is no worker of that number. */
export class UnknownWorker extends Schema.TaggedError<UnknownWorker>()("UnknownWorker", {
  /** The message's name. */
  name: Schema.String,
  /** What was given as its receiver. */
  worker: Schema.Unknown,
  /** How many workers there are. */
  workers: Schema.Int
}) {
  override get message(): string {
    const exist = this.workers === 1 ? "there is worker 1 alone" : `there are workers 1 to ${this.workers}`
    return `The message "${this.name}" is for worker ${String(this.worker)}, which does not exist: ${exist}. ` +
      "Expected the number of a worker. Leave it out to send to all of them."
  }
}

/** The value cannot be written as the message's Schema says. */
export class EncodeError extends Schema.TaggedError<EncodeError>()("EncodeError", {
  /** The message's name. */
  name: Schema.String,
  /** What does not fit. */
  reason: Schema.String
}) {
  override get message(): string {
    return `The value of the message "${this.name}" does not fit its Schema: ${this.reason}. Nothing was sent. ` +
      "Send a value of the Schema, or change the Schema in all workers."
  }
}

/** The message is longer than what one may carry. */
export class TooLong extends Schema.TaggedError<TooLong>()("TooLong", {
  /** The message's name. */
  name: Schema.String,
  /** Its bytes as they would travel. */
  bytes: Schema.Int,
  /** The bytes that are allowed. */
  limit: Schema.Int
}) {
  override get message(): string {
    return `The message "${this.name}" has ${this.bytes} bytes, and one may have ${this.limit}. Nothing was sent. ` +
      "Send it in parts, or put it where all workers can read it, such as a file, and send the place."
  }
}

/** What arrived does not fit the message's Schema: the Tracer gets it, and the message is dropped. */
export class DecodeError extends Schema.TaggedError<DecodeError>()("DecodeError", {
  /** The message's name. */
  name: Schema.String,
  /** The worker that sent it. */
  from: Schema.Int,
  /** What does not fit. */
  reason: Schema.String
}) {
  override get message(): string {
    return `The message "${this.name}" of worker ${this.from} does not fit its Schema: ${this.reason}. It was dropped. ` +
      "Give the message the same Schema in all places, or another name."
  }
}

/** Why a message cannot be sent. */
export type MessageError = UnknownWorker | EncodeError | TooLong

/** What is left for name and body when the rest of the line is there. */
const lengthLimit = Protocol.messageLimit - 1024

// --- making, sending, receiving --------------------------------------------------------------------------------------

/**
 * Makes a kind of message. All workers tell kinds apart by their names.
 *
 * Its values travel as JSON, whatever that form is for the Schema (`Schema.toCodecJson`), so dates and bytes work. Names
 * that begin with `kore.` are those of kore-fx itself.
 *
 * @example
 * ```ts
 * const Stale = Message.make("stale", Schema.Struct({ key: Schema.String, at: Schema.Date }))
 * ```
 */
export const make = <A, I>(name: string, schema: Schema.Codec<A, I>): Message<A> => {
  const codec: Schema.Codec<A, string> = Schema.fromJsonString(Schema.toCodecJson(schema))
  return {
    [TypeId]: TypeId,
    name,
    encode: Schema.encodeEffect(codec),
    decode: Schema.decodeUnknownEffect(codec)
  }
}

/** Who gets a message. */
export interface Options {
  /** The number of one worker, from 1, the sender's own too. Default: every worker. */
  readonly worker?: number | undefined
  /** Of the messages to every worker: whether the sender gets it too. Default: true. */
  readonly echo?: boolean | undefined
}

/**
 * Sends a message to every worker, the sender included, or to one.
 *
 * Waits until the system has it, and before that for room when too much is under way; interrupted while it waits for
 * room, it sends nothing. Fails with `UnknownWorker`, `EncodeError` or `TooLong` (16 MiB), and then nothing was sent.
 * That it was sent does not mean that it arrives; see the module.
 * Source: Kore, runtime §15.3 (`sendobj`).
 *
 * @example
 * ```ts
 * const Stale = Message.make("stale", Schema.Struct({ key: Schema.String }))
 *
 * const toAll = Message.send(Stale, { key: "user/7" })
 * const toOthers = Message.send(Stale, { key: "user/7" }, { echo: false })
 * const toOne = Message.send(Stale, { key: "user/7" }, { worker: 1 })
 * ```
 */
export const send = <A>(
  message: Message<A>,
  value: A,
  options: Options = {}
): Effect.Effect<void, MessageError, Messages> =>
  Messages.use((messages): Effect.Effect<void, MessageError> => {
    const { name } = message
    const { echo = true, worker } = options
    if (worker !== undefined && !(Number.isInteger(worker) && worker >= 1 && worker <= messages.workers)) {
      return Effect.fail(new UnknownWorker({ name, worker, workers: messages.workers }))
    }
    const encoded = Effect.mapError(message.encode(value), (error) => new EncodeError({ name, reason: lineOf(error) }))
    return Effect.flatMap(encoded, (body): Effect.Effect<void, TooLong> => {
      const bytes = bytesOf(name, body)
      return bytes > lengthLimit
        ? Effect.fail(new TooLong({ name, bytes, limit: lengthLimit }))
        : messages.send({ name, body, worker, echo })
    })
  })

/** Who sent a message. */
export interface Sender {
  /** The number of the worker, from 1. */
  readonly worker: number
}

/**
 * Runs a handler for every message of a kind until the scope closes, one after the other, in the order of their arrival.
 *
 * Never fails: what a handler fails with goes to the Tracer as `message` and the name, and so does a value that does not
 * fit the Schema; the next message is handled all the same. Several handlers of one kind get every message. A handler
 * has a scope of its own. To handle messages side by side, let the handler create a `Task`.
 * Source: Kore, runtime §15.3 (`koreapp.onmsg`).
 *
 * @example
 * ```ts
 * const Stale = Message.make("stale", Schema.Struct({ key: Schema.String }))
 *
 * const program = Message.on(Stale, ({ key }, { worker }) => Effect.log("worker", worker, "says that", key, "is stale"))
 * ```
 */
export const on = <A, E, R>(
  message: Message<A>,
  handler: (value: A, sender: Sender) => Effect.Effect<unknown, E, R>
): Effect.Effect<void, never, Messages | Tracer.Tracer | Scope.Scope | Exclude<R, Scope.Scope>> =>
  Effect.gen(function*() {
    const tracer = yield* Tracer.Tracer
    const take = yield* (yield* Messages).subscribe(message.name)
    const { name } = message
    const handle = ({ body, from }: Incoming) =>
      message.decode(body).pipe(
        Effect.mapError((error) => new DecodeError({ name, from, reason: lineOf(error) })),
        Effect.flatMap((value) => handler(value, { worker: from })),
        Effect.scoped,
        Effect.catchCause((cause) =>
          Effect.withFiber((fiber) => tracer.report(cause, { kind: "message", name, id: fiber.id, details: { from } }))
        )
      )
    yield* Effect.forkScoped(Effect.forever(Effect.flatMap(take, handle)), { startImmediately: true })
  })

/**
 * Runs a handler for every message of a kind as long as the Layer lives; see `on`.
 *
 * @example
 * ```ts
 * const Stale = Message.make("stale", Schema.Struct({ key: Schema.String }))
 *
 * const worker = Layer.mergeAll(
 *   Message.layer(Stale, ({ key }) => Effect.log(key, "is stale"))
 * )
 * ```
 */
export const layer = <A, E, R>(
  message: Message<A>,
  handler: (value: A, sender: Sender) => Effect.Effect<unknown, E, R>
): Layer.Layer<never, never, Messages | Tracer.Tracer | Exclude<R, Scope.Scope>> =>
  Layer.effectDiscard(on(message, handler)) as Layer.Layer<
    never,
    never,
    Messages | Tracer.Tracer | Exclude<R, Scope.Scope>
  >

// --- private ---------------------------------------------------------------------------------------------------------

// What a Schema has to say has several lines.
const lineOf = (error: Schema.SchemaError): string => error.message.replace(/\s*\n\s*/g, " ")

// A character takes at most 6 bytes as JSON inside of JSON; most messages are far from where it matters.
const bytesOf = (name: string, body: string): number =>
  (name.length + body.length) * 6 <= lengthLimit
    ? 0
    : Buffer.byteLength(JSON.stringify(name)) + Buffer.byteLength(JSON.stringify(body))
