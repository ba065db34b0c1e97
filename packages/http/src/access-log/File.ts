/**
 * A file that is only appended to, as Effects: whole pieces, whoever else appends to it.
 *
 * When to reach for it: `Writer` has one, and opens another one when the file is moved away.
 * What it is not: safe on network file systems, where appending is no single step.
 */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"

/** An open file. */
export interface File {
  /** Appends bytes from an offset on; succeeds with how many were taken, which may be less than there are. */
  readonly write: (bytes: Uint8Array, offset: number) => Effect.Effect<number, NodeJS.ErrnoException>
  readonly close: Effect.Effect<void>
}

/** Opens a file for appending; it is made where it is not there, with the mode 0644 less what the umask takes. */
export const open = (path: string): Effect.Effect<File, NodeJS.ErrnoException> =>
  Effect.callback((resume) => {
    fs.open(path, "a", 0o644, (error, descriptor) => {
      resume(error === null ? Effect.succeed(of(descriptor)) : Effect.fail(error))
    })
  })

// --- private ---------------------------------------------------------------------------------------------------------

const of = (descriptor: number): File => ({
  // What the system was given cannot be taken back.
  write: (bytes, offset) =>
    Effect.uninterruptible(Effect.callback((resume) => {
      fs.write(descriptor, bytes, offset, bytes.length - offset, null, (error, written) => {
        resume(error === null ? Effect.succeed(written) : Effect.fail(error))
      })
    })),
  close: Effect.callback((resume) => {
    // The bytes are with the system by now; an error here has nobody that could do anything about it.
    fs.close(descriptor, () => resume(Effect.void))
  })
})
