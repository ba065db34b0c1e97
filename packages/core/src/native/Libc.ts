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
  readonly connect: (descriptor: number, address: Buffer, length: number) => number
  /** The number of bytes sent, which a datagram is never short of. */
  readonly send: (descriptor: number, bytes: Uint8Array, length: number, flags: number) => number
  readonly setsockopt: (descriptor: number, level: number, option: number, value: Buffer, length: number) => number
  readonly getsockname: (descriptor: number, address: Buffer, length: Buffer) => number
  readonly getpeername: (descriptor: number, address: Buffer, length: Buffer) => number
  /** Writes two descriptors, of four bytes each. */
  readonly socketpair: (domain: number, type: number, protocol: number, descriptors: Buffer) => number
  readonly close: (descriptor: number) => number
  readonly dup: (descriptor: number) => number
  /** The number of bytes received, or that would have been with a buffer that is large enough; see recv(2). */
  readonly recv: (descriptor: number, bytes: Buffer | null, length: number, flags: number) => number
  /** Takes a `struct msghdr`, which points at the rest. */
  readonly sendmsg: (descriptor: number, header: Buffer, flags: number) => number
  readonly recvmsg: (descriptor: number, header: Buffer, flags: number) => number
  /** Like poll(2) for one descriptor, without waiting: 1 when it can be read, or accepted from, 0 when not. */
  readonly poll: (descriptor: number) => number
  /** As `poll`, for whether it can be written to. */
  readonly pollOut: (descriptor: number) => number
  /** For a descriptor that was not made with close-on-exec, as a duplicate. */
  readonly closeOnExec: (descriptor: number) => number
  /** Reads an IP address as text into network order; 1 when it is one. */
  readonly inet_pton: (family: number, text: string, address: Buffer) => number
  /** Linux only. */
  readonly prctl: (option: number, argument: number) => number
  readonly errno: () => number
  /** Where the bytes of a buffer are; good until the buffer is collected or detached. */
  readonly pointer: (buffer: Buffer) => bigint
  /** Linux only, and only where Node.js shows the functions of its event loop. */
  readonly loop: () => Loop | undefined
}

/** What it takes to be told by Node's event loop that a descriptor is ready which Node has no handle for. */
export interface Loop {
  readonly epoll_create1: (flags: number) => number
  readonly epoll_ctl: (epoll: number, operation: number, descriptor: number, event: Buffer) => number
  /** Does not wait. */
  readonly epoll_wait: (epoll: number, events: Buffer, most: number) => number
  /**
   * Watches a descriptor for as long as the process lives; undefined when the loop refuses. `onReadable` is called by
   * the loop itself, outside of JavaScript's own turns, over and over until `stop`: it must not throw.
   */
  readonly watch: (
    descriptor: number,
    onReadable: () => void
  ) => { readonly start: () => void; readonly stop: () => void } | undefined
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
export const systemError = (call: string, errno: number): SystemError => {
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

// libuv's functions are there where Node.js was not built to hide them, as in the releases.
const loopOf = (ffi: Ffi): Loop | undefined => {
  try {
    const { functions: c, lib } = ffi.dlopen(null, {
      epoll_create1: { return: "int32", arguments: ["int32"] },
      epoll_ctl: { return: "int32", arguments: ["int32", "int32", "int32", "pointer"] },
      epoll_wait: { return: "int32", arguments: ["int32", "pointer", "int32", "int32"] },
      calloc: { return: "pointer", arguments: ["uint64", "uint64"] },
      uv_handle_size: { return: "uint64", arguments: ["int32"] },
      uv_poll_init: { return: "int32", arguments: ["pointer", "pointer", "int32"] },
      uv_poll_start: { return: "int32", arguments: ["pointer", "int32", "pointer"] },
      uv_poll_stop: { return: "int32", arguments: ["pointer"] }
    })
    return {
      epoll_create1: c.epoll_create1,
      epoll_ctl: c.epoll_ctl,
      epoll_wait: (epoll, events, most) => c.epoll_wait(epoll, events, most, 0),
      watch: (descriptor, onReadable) => {
        // Not a Buffer, which would be freed while the loop, at the end of the process, still has the handle.
        const handle = c.calloc(1n, c.uv_handle_size(8)) // UV_POLL
        if (c.uv_poll_init(ffi.getCurrentEventLoop(), handle, descriptor) < 0) return undefined
        const callback = lib.registerCallback({ return: "void", arguments: ["pointer", "int32", "int32"] }, onReadable)
        return {
          start: () => void c.uv_poll_start(handle, 1, callback), // UV_READABLE
          stop: () => void c.uv_poll_stop(handle)
        }
      }
    }
  } catch {
    return undefined
  }
}

const functions = (ffi: Ffi, platform: Platform.Platform): Libc => {
  const { functions: c } = ffi.dlopen(null, {
    socket: { return: "int32", arguments: ["int32", "int32", "int32"] },
    bind: { return: "int32", arguments: ["int32", "pointer", "uint32"] },
    listen: { return: "int32", arguments: ["int32", "int32"] },
    connect: { return: "int32", arguments: ["int32", "pointer", "uint32"] },
    // ssize_t and size_t in C: what is sent at once is far below 2 GiB.
    send: { return: "int32", arguments: ["int32", "pointer", "uint64", "int32"] },
    setsockopt: { return: "int32", arguments: ["int32", "int32", "int32", "pointer", "uint32"] },
    getsockname: { return: "int32", arguments: ["int32", "pointer", "pointer"] },
    getpeername: { return: "int32", arguments: ["int32", "pointer", "pointer"] },
    socketpair: { return: "int32", arguments: ["int32", "int32", "int32", "pointer"] },
    close: { return: "int32", arguments: ["int32"] },
    dup: { return: "int32", arguments: ["int32"] },
    recv: { return: "int64", arguments: ["int32", "pointer", "uint64", "int32"] },
    sendmsg: { return: "int64", arguments: ["int32", "pointer", "int32"] },
    recvmsg: { return: "int64", arguments: ["int32", "pointer", "int32"] },
    poll: { return: "int32", arguments: ["pointer", "uint64", "int32"] },
    // Variadic in C, where arguments beyond the fixed ones travel differently on some machines: none are passed.
    ioctl: { return: "int32", arguments: ["int32", "uint64"] },
    inet_pton: { return: "int32", arguments: ["int32", "pointer", "pointer"] },
    [platform.errnoLocation]: { return: "pointer", arguments: [] }
  })
  const errnoLocation = c[platform.errnoLocation] as () => bigint
  const prctl = platform.prctl === undefined ? undefined : prctlOf(ffi)
  const poll = (descriptor: number, events: number): number => {
    const request = Buffer.alloc(8) // struct pollfd { int fd; short events; short revents }
    request.writeInt32LE(descriptor, 0)
    request.writeInt16LE(events, 4)
    return c.poll(request, 1n, 0)
  }
  let loop: Loop | undefined
  return {
    socket: c.socket,
    bind: c.bind,
    listen: c.listen,
    connect: c.connect,
    send: (descriptor, bytes, length, flags) => c.send(descriptor, bytes, BigInt(length), flags),
    setsockopt: c.setsockopt,
    getsockname: c.getsockname,
    getpeername: c.getpeername,
    socketpair: c.socketpair,
    close: c.close,
    dup: c.dup,
    recv: (descriptor, bytes, length, flags) => Number(c.recv(descriptor, bytes, BigInt(length), flags)),
    sendmsg: (descriptor, header, flags) => Number(c.sendmsg(descriptor, header, flags)),
    recvmsg: (descriptor, header, flags) => Number(c.recvmsg(descriptor, header, flags)),
    poll: (descriptor) => poll(descriptor, 0x1), // POLLIN
    pollOut: (descriptor) => poll(descriptor, 0x4), // POLLOUT
    closeOnExec: (descriptor) => c.ioctl(descriptor, BigInt(platform.FIOCLEX)),
    inet_pton: (family, text, address) => c.inet_pton(family, Buffer.from(`${text}\0`), address),
    prctl: (option, argument) => prctl === undefined ? -1 : prctl(option, BigInt(argument), 0n, 0n, 0n),
    errno: () => ffi.getInt32(errnoLocation()),
    pointer: (buffer) => ffi.getRawPointer(buffer),
    loop: () => platform.messages === undefined ? undefined : loop ??= loopOf(ffi)
  }
}
