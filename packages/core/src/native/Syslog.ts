/**
 * A UNIX datagram socket that is connected to a daemon and never waits.
 *
 * When to reach for it: `log/Syslog` sends its records through one.
 * What it is not: an Effect, unlike its neighbours. A Logger writes within the call of the program that logs.
 */
import * as Result from "effect/Result"
import * as Libc from "./Libc.ts"
import * as Platform from "./Platform.ts"
import { encodeUnix } from "./Socket.ts"

/** Connects a socket to a path or an abstract `@name`; it is closed on exec. */
export const connect = (libc: Libc.Libc, path: string): Result.Result<number, Libc.SystemError> => {
  const descriptor = libc.socket(platform.AF_UNIX, platform.SOCK_DGRAM | platform.socketFlags, 0)
  if (descriptor < 0) return Result.fail(Libc.systemError("socket", libc.errno()))
  if (platform.socketFlags === 0) libc.closeOnExec(descriptor)
  const address = encodeUnix(path)
  if (libc.connect(descriptor, address, address.length) === 0) return Result.succeed(descriptor)
  const failure = Libc.systemError("connect", libc.errno())
  libc.close(descriptor)
  return Result.fail(failure)
}

/** Sends one datagram, whole or not at all; gives the number of the error, 0 when it was sent. */
// No error object: when a daemon does not keep up, this fails for line after line.
export const send = (libc: Libc.Libc, descriptor: number, bytes: Uint8Array): number =>
  libc.send(descriptor, bytes, bytes.length, platform.MSG_DONTWAIT) < 0 ? libc.errno() : 0

// --- private ---------------------------------------------------------------------------------------------------------

// Whoever has a `Libc` has a platform.
const platform = Platform.current as Platform.Platform
