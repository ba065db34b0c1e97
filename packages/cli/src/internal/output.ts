/**
 * Writes to the standard streams, to the last byte.
 *
 * When to reach for it: for the answer of a command, which the process may end right after.
 * What it is not: a log.
 */
import * as Effect from "effect/Effect"

const write = (stream: NodeJS.WriteStream, text: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    // A reader that has gone away (`… | head`) is no failure.
    stream.once("error", () => resume(Effect.void))
    stream.write(`${text}\n`, () => resume(Effect.void))
  })

/** Writes lines to standard output. */
export const print = (text: string): Effect.Effect<void> => Effect.suspend(() => write(process.stdout, text))

/** Writes data to standard output as JSON. */
export const printJson = (data: unknown): Effect.Effect<void> => print(JSON.stringify(data, null, 2))

/** Writes lines to standard error. */
export const complain = (text: string): Effect.Effect<void> => Effect.suspend(() => write(process.stderr, text))
