/**
 * `kore.sendobj`, and the hook `onmsg` that it reaches: objects from worker to worker.
 *
 * When to reach for it: something happened in one worker that the others must know.
 * What it is not: shared memory, or a promise of delivery: a worker that is being restarted, or has no `onmsg`, loses
 * what is sent to it. Source: Kore, runtime §15.3.
 *
 * An object travels as V8 writes it, a structured clone, within a `Message` of core; `docs/decisions/sendobj.md` tells
 * why V8's format is acceptable here.
 */
import * as CoreMessage from "@kore-fx/core/Message"
import type * as Tracer from "@kore-fx/core/Tracer"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as v8 from "node:v8"
import { RuntimeError } from "./errors.ts"
import * as Failure from "./internal/Failure.ts"
import type * as Hooks from "./internal/Hooks.ts"
import * as keywords from "./internal/keywords.ts"
import { inWorker } from "./internal/Registry.ts"

const Sent = CoreMessage.make("kore.sendobj", Schema.String)

/** The keywords of `kore.sendobj`. */
export interface SendobjOptions {
  /** The number of one worker, from 1, also of this one. Default: every worker, this one included. */
  readonly worker?: number | undefined
}

/**
 * Sends an object to the `onmsg` of every worker, or of one.
 *
 * What a structured clone keeps arrives: numbers, text, arrays, plain objects, Map, Set, Date, Buffer, Error, BigInt,
 * cycles. A class arrives as a plain object. Up to 12 MB. Does not wait: it is on its way when this returns, behind what
 * was sent before.
 *
 * @throws RuntimeError for what cannot be cloned (a function, say) or is too long, for a worker that does not exist, and
 * where no worker runs; nothing is sent then.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * class MyApp {
 *   index(req: kore.Request) {
 *     kore.sendobj({ stale: "user/7" })
 *     kore.sendobj("only for you", { worker: 1 })
 *     req.response(200, "")
 *   }
 *   onmsg(value: unknown) {
 *     kore.log(kore.LOG_INFO, `worker ${kore.worker()} got ${JSON.stringify(value)}`)
 *   }
 * }
 * ```
 */
export const sendobj = (value: unknown, options: SendobjOptions = {}): void => {
  keywords.check("kore.sendobj", options, ["worker"])
  const context = inWorker("kore.sendobj")
  const sending = Effect.runForkWith(context)(CoreMessage.send(Sent, encode(value), { worker: options.worker }))
  // What it can fail with shows before it waits.
  const exit = sending.pollUnsafe()
  if (exit?._tag === "Failure") Failure.now(exit)
}

const encode = (value: unknown): string => {
  try {
    return v8.serialize(value).toString("base64")
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new RuntimeError(`kore.sendobj got what cannot be sent: ${reason}`, { cause: error })
  }
}

/** Gives what is sent to this worker to its hook, one after the other, until the scope closes. */
export const listen = (
  onmsg: Hooks.Hook
): Effect.Effect<void, never, CoreMessage.Messages | Tracer.Tracer | Scope.Scope> =>
  CoreMessage.on(Sent, (body) => Effect.suspend(() => onmsg.run(v8.deserialize(Buffer.from(body, "base64")))))
