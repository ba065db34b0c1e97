/** A daemon that takes datagrams at a path, as syslogd does at /dev/log; it reads only when the test says so. */
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Libc from "../../src/native/Libc.ts"
import * as Platform from "../../src/native/Platform.ts"
import * as Socket from "../../src/native/Socket.ts"

export interface Daemon {
  /** Reads what has arrived, a text for each datagram. */
  readonly read: () => ReadonlyArray<string>
  /** The same as bytes. */
  readonly readBytes: () => ReadonlyArray<Buffer>
  /** Ends it; its file stays, as that of a daemon that was killed. */
  readonly stop: Effect.Effect<void>
}

const platform = Platform.current!

// After `Libc` has loaded FFI, which keeps Node's warning about it to itself.
const recv = Effect.map(Libc.load, () =>
  process.getBuiltinModule("node:ffi").dlopen(null, {
    recv: { return: "int32", arguments: ["int32", "pointer", "uint64", "int32"] }
  }).functions.recv)

/** The path for a socket, in a directory that the test's scope removes. */
export const socketPath = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "kore-fx-log-"))),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
).pipe(Effect.map((directory) => path.join(directory, "log")))

/** Starts a daemon, in the place of one that has ended; the test's scope ends it. */
export const start = Effect.fnUntraced(function*(path: string) {
  const receive = yield* recv
  fs.rmSync(path, { force: true })
  const type = platform.SOCK_DGRAM | platform.socketFlags
  const descriptor = yield* Libc.call("socket", (libc) => libc.socket(platform.AF_UNIX, type, 0))
  let running = true
  const stop = Effect.suspend(() => {
    if (!running) return Effect.void
    running = false
    return Socket.close(descriptor)
  })
  yield* Effect.addFinalizer(() => stop)
  yield* Socket.bind(descriptor, { _tag: "Unix", path })
  const readBytes = () => {
    const datagrams: Array<Buffer> = []
    for (;;) {
      const buffer = Buffer.alloc(65_536)
      const length = receive(descriptor, buffer, BigInt(buffer.length), platform.MSG_DONTWAIT)
      if (length < 0) return datagrams
      datagrams.push(buffer.subarray(0, length))
    }
  }
  return { read: () => readBytes().map(String), readBytes, stop } satisfies Daemon
})
