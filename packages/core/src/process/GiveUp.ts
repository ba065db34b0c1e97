/**
 * The end of a worker whose app has given up: no finalizer runs, but what it says gets out.
 *
 * When to reach for it: `Worker.fatal` and `Worker.fatalx`.
 * What it is not: an orderly stop, which the parent begins (`Worker.shutdown`).
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Channel from "./Channel.ts"
import * as Protocol from "./Protocol.ts"

// How long the last words may take on their way: the reader of the log may be slow, the parent busy.
const lastWords = "1 second"

/**
 * Writes the reason to the log at level Fatal, tells the parent, and exits with status 1; for the whole server or for this
 * worker alone.
 *
 * Cannot be interrupted. The parent must learn that the server is to end, so what it does not take within a second is
 * told by the exit status.
 */
export const giveUp = (
  channel: Pick<Channel.Channel<(typeof Protocol.Fatal)["Type"], never>, "post" | "flush">,
  reason: string,
  server: boolean
): Effect.Effect<never> =>
  Effect.gen(function*() {
    const sent = yield* channel.post({ _tag: "Fatal", reason, server })
    // Who cannot wait, as the old API's `fatalx`, exits as soon as this does.
    yield* channel.flush
    // A Logger may fail; that must not keep anybody here.
    yield* Effect.ignoreCause(Effect.logFatal(reason))
    const [isSent] = yield* Effect.all([
      Effect.timeoutOption(sent, lastWords),
      Effect.timeoutOption(flushed, lastWords)
    ], { concurrency: "unbounded" })
    const isTold = Option.getOrElse(isSent, () => false)
    return process.exit(server && !isTold ? Protocol.fatalStatus : 1)
  }).pipe(Effect.uninterruptible)

// What was written to the standard streams before is with the system.
const flushed = Effect.callback<void>((resume) => {
  process.stdout.write("", () => process.stderr.write("", () => resume(Effect.void)))
})
