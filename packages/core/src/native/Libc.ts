/**
 * The C library, by Node's own FFI: the only place in kore-fx that makes foreign calls.
 *
 * When to reach for it: a module of `native/` needs a system call that Node does not offer.
 * What it is not: an interface for anybody else. The modules beside this one turn the calls into Effects.
 *
 * `node:ffi` is experimental. Everything it needs is behind `Libc`, so that another library can take its place.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { getSystemErrorMap } from "node:util"
import * as Platform from "./Platform.ts"

/** Foreign calls are not possible in this process; kore-fx cannot bind sockets without them. */
export class FfiUnavailable extends Schema.TaggedError<FfiUnavailable>()("FfiUnavailable", {
  /** Why not, and what to do. */
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

/** A system call failed. */
export class SystemError extends Schema.TaggedError<SystemError>()("SystemError", {
  /** The function of the C library, such as `bind`. */
  call: Schema.String,
  /** The name of the error, such as `EADDRINUSE`. */
  code: Schema.String,
  /** What the system says about it, such as "address already in use". */
  description: Schema.String
}) {
  override get message(): string {
    return `${this.call}: ${this.description} (${this.code})`
  }
}

/** What can go wrong with any call. */
export type CallError = FfiUnavailable | SystemError

/** The functions used. Those that return a number return -1 on failure and leave the reason in `errno`. */
export interface Libc {
  readonly socket: (domain: number, type: number, protocol: number) => number
  readonly bind: (descriptor: number, address: Buffer, length: number) => number
  readonly listen: (descriptor: number, backlog: number) => number
  readonly setsockopt: (descriptor: number, level: number, option: number, value: Buffer, length: number) => number
  readonly getsockname: (descriptor: number, address: Buffer, length: Buffer) => number
  readonly close: (descriptor: number) => number
  /** Like poll(2) for one descriptor, without waiting: 1 when it can be read, or accepted from, 0 when not. */
  readonly poll: (descriptor: number) => number
  /** `FIOCLEX`, where close-on-exec cannot be asked for at creation. */
  readonly closeOnExec: (descriptor: number) => number
  /** Reads an IP address as text into network order; 1 when it is one. */
  readonly inet_pton: (family: number, text: string, address: Buffer) => number
  /** Linux only. */
  readonly prctl: (option: number, argument: number) => number
  readonly errno: () => number
  /** Where the bytes of a buffer are; good until the buffer is collected or detached. */
  readonly pointer: (buffer: Buffer) => bigint
}

/** Loads the functions, once per process; fails where FFI is not there or not allowed. */
export const load: Effect.Effect<Libc, FfiUnavailable> = Effect.suspend(() => Effect.fromResult(loaded ??= open()))

let loaded: Result.Result<Libc, FfiUnavailable> | undefined

/** Makes one call, named for the error; a negative result is a failure, read from `errno` at once. */
export const call = (name: string, run: (libc: Libc) => number): Effect.Effect<number, CallError> =>
  Effect.flatMap(load, (libc) => {
    const result = run(libc)
    return result < 0 ? Effect.fail(systemError(name, libc.errno())) : Effect.succeed(result)
  })

/** The error for an `errno`, with its name and what the system says about it. */
const systemError = (call: string, errno: number): SystemError => {
  const [code, description] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, "unknown system error"]
  return new SystemError({ call, code, description })
}

// --- loading ---------------------------------------------------------------------------------------------------------

type Ffi = typeof import("node:ffi")

const open = (): Result.Result<Libc, FfiUnavailable> => {
  const unavailable = (reason: string) => Result.fail(new FfiUnavailable({ reason }))
  const platform = Platform.current
  if (platform === undefined) {
    return unavailable(`kore-fx does not know the socket interface of ${process.platform}: it runs on Linux and macOS`)
  }
  const ffi = withoutWarning(() => process.getBuiltinModule("node:ffi") as Ffi | undefined)
  if (ffi === undefined) {
    return unavailable(
      `this Node.js (${process.version}) has no node:ffi, which kore-fx binds its sockets with: ` +
        `use Node.js 26.10 or newer, and do not start it with --no-experimental-ffi`
    )
  }
  try {
    return Result.succeed(functions(ffi, platform))
  } catch (cause) {
    const denied = cause instanceof Error && "code" in cause && cause.code === "ERR_ACCESS_DENIED"
    return unavailable(
      denied
        ? "foreign calls are not permitted, and kore-fx binds its sockets with them: start Node.js with --allow-ffi"
        : `the C library could not be loaded: ${String(cause)}`
    )
  }
}

// Node warns once that FFI is experimental. We know, and the line would be the first thing that users see.
const withoutWarning = <A>(run: () => A): A => {
  const emit = process.emitWarning
  process.emitWarning = ((warning: string | Error, ...rest: Array<any>) => {
    if (!String(warning).includes("FFI is an experimental feature")) Reflect.apply(emit, process, [warning, ...rest])
  }) as typeof process.emitWarning
  try {
    return run()
  } finally {
    process.emitWarning = emit
  }
}

// Variadic in C too, but Linux passes such arguments like others on the machines it has.
const prctlOf = (ffi: Ffi) => {
  const signature = { return: "int32", arguments: ["int32", "uint64", "uint64", "uint64", "uint64"] } as const
  return ffi.dlopen(null, { prctl: signature }).functions.prctl
}

const functions = (ffi: Ffi, platform: Platform.Platform): Libc => {
  const { functions: c } = ffi.dlopen(null, {
    socket: { return: "int32", arguments: ["int32", "int32", "int32"] },
    bind: { return: "int32", arguments: ["int32", "pointer", "uint32"] },
    listen: { return: "int32", arguments: ["int32", "int32"] },
    setsockopt: { return: "int32", arguments: ["int32", "int32", "int32", "pointer", "uint32"] },
    getsockname: { return: "int32", arguments: ["int32", "pointer", "pointer"] },
    close: { return: "int32", arguments: ["int32"] },
    poll: { return: "int32", arguments: ["pointer", "uint64", "int32"] },
    // Variadic in C, where arguments beyond the fixed ones travel differently on some machines: none are passed.
    ioctl: { return: "int32", arguments: ["int32", "uint64"] },
    inet_pton: { return: "int32", arguments: ["int32", "pointer", "pointer"] },
    [platform.errnoLocation]: { return: "pointer", arguments: [] }
  })
  const errnoLocation = c[platform.errnoLocation] as () => bigint
  const prctl = platform.prctl === undefined ? undefined : prctlOf(ffi)
  return {
    socket: c.socket,
    bind: c.bind,
    listen: c.listen,
    setsockopt: c.setsockopt,
    getsockname: c.getsockname,
    close: c.close,
    poll: (descriptor) => {
      const request = Buffer.alloc(8) // struct pollfd { int fd; short events; short revents }
      request.writeInt32LE(descriptor, 0)
      request.writeInt16LE(1, 4) // POLLIN
      return c.poll(request, 1n, 0)
    },
    closeOnExec: (descriptor) => c.ioctl(descriptor, 0x20006601n),
    inet_pton: (family, text, address) => c.inet_pton(family, Buffer.from(`${text}\0`), address),
    prctl: (option, argument) => prctl === undefined ? -1 : prctl(option, BigInt(argument), 0n, 0n, 0n),
    errno: () => ffi.getInt32(errnoLocation()),
    pointer: (buffer) => ffi.getRawPointer(buffer)
  }
}
