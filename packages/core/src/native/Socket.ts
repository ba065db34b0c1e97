/**
 * Listening sockets made by hand: Node cannot give out the descriptor of a socket that it does not accept from.
 *
 * When to reach for it: `Listener` binds in the parent, where nothing is ever accepted.
 * What it is not: a way to send or receive. `node:net` takes the descriptor over where connections are served.
 */
import * as Effect from "effect/Effect"
import * as net from "node:net"
import * as os from "node:os"
import * as Libc from "./Libc.ts"
import * as Platform from "./Platform.ts"

/** What a socket is bound to: an IP address and a port, or the path or `@name` of a UNIX socket. */
export type SocketAddress =
  | { readonly _tag: "Inet"; readonly ip: string; readonly port: number }
  | { readonly _tag: "Unix"; readonly path: string }

/** The most bytes the path of a UNIX socket may have; an abstract name has as many after its `@`. */
export const unixPathLimit: number = (Platform.current?.unixPathBytes ?? 104) - 1

/**
 * Makes a stream socket for an address, non-blocking and closed on exec, so that only those get it who are given it.
 *
 * It reuses addresses of connections that are over, and one for IPv6 does not take IPv4 connections as well.
 */
export const open = Effect.fnUntraced(function*(address: SocketAddress) {
  yield* Libc.load
  const family = familyOf(address)
  const type = platform.SOCK_STREAM | platform.socketFlags
  const descriptor = yield* Libc.call("socket", (libc) => libc.socket(family, type, 0))
  const prepare = Effect.gen(function*() {
    if (platform.socketFlags === 0) yield* Libc.call("ioctl", (libc) => libc.closeOnExec(descriptor))
    if (address._tag === "Unix") return
    yield* setOption(descriptor, platform.SOL_SOCKET, platform.SO_REUSEADDR, one)
    if (family === platform.AF_INET6) {
      yield* setOption(descriptor, platform.IPPROTO_IPV6, platform.IPV6_V6ONLY, one)
    }
  })
  yield* Effect.onError(prepare, () => close(descriptor))
  return descriptor
})

/** Binds a socket to the address that it was made for. */
export const bind = (descriptor: number, address: SocketAddress): Effect.Effect<void, Libc.CallError> =>
  Effect.flatMap(Libc.load, (libc) => {
    const bytes = encode(libc, address)
    return Effect.asVoid(Libc.call("bind", () => libc.bind(descriptor, bytes, bytes.length)))
  })

/** Starts to queue connections, `backlog` at most; the system may allow fewer. Again, it changes the backlog. */
export const listen = (descriptor: number, backlog: number): Effect.Effect<void, Libc.CallError> =>
  Effect.asVoid(Libc.call("listen", (libc) => libc.listen(descriptor, backlog)))

/** The port a socket is bound to, which the system chose where 0 was asked for. */
export const portOf = (descriptor: number): Effect.Effect<number, Libc.CallError> => {
  const address = Buffer.alloc(128) // struct sockaddr_storage
  const length = Buffer.alloc(4)
  length.writeUInt32LE(address.length)
  return Effect.map(
    Libc.call("getsockname", (libc) => libc.getsockname(descriptor, address, length)),
    () => address.readUInt16BE(2)
  )
}

/** Tells whether a connection waits to be accepted. */
export const hasQueued = (descriptor: number): Effect.Effect<boolean, Libc.CallError> =>
  Effect.map(Libc.call("poll", (libc) => libc.poll(descriptor)), (ready) => ready > 0)

/**
 * Closes the door of a listening socket and leaves those that are in: no connection is queued any more, and those that
 * are queued, or are in the middle of their handshake, can still be accepted.
 *
 * On Linux a packet filter drops the packet that opens a TCP connection, so a client tries again a second later, when
 * the socket is gone or another server listens. Elsewhere, and for UNIX sockets, the backlog becomes 0, with which the
 * system still queues one connection whenever the queue is empty.
 */
export const closeDoor = (descriptor: number, family: SocketAddress["_tag"]): Effect.Effect<void, Libc.CallError> => {
  const option = platform.SO_ATTACH_FILTER
  if (family === "Unix" || option === undefined) return listen(descriptor, 0)
  return Effect.flatMap(Libc.load, (libc) => {
    const header = Buffer.alloc(16) // struct sock_fprog { unsigned short len; struct sock_filter *filter }
    header.writeUInt16LE(dropOpening.length / 8, 0)
    header.writeBigUInt64LE(libc.pointer(dropOpening), 8)
    return setOption(descriptor, platform.SOL_SOCKET, option, header)
  }).pipe(Effect.catchTag("SystemError", () => listen(descriptor, 0))) // some sandboxes have no filters
}

/** Closes a descriptor; never fails, because nothing could be done about it. */
export const close = (descriptor: number): Effect.Effect<void> =>
  Effect.ignore(Libc.call("close", (libc) => libc.close(descriptor)))

// --- private ---------------------------------------------------------------------------------------------------------

// `Libc.load` fails before anything else where there is no platform.
const platform = Platform.current as Platform.Platform

const one = Buffer.from([1, 0, 0, 0])

const setOption = (descriptor: number, level: number, option: number, value: Buffer) =>
  Effect.asVoid(Libc.call("setsockopt", (libc) => libc.setsockopt(descriptor, level, option, value, value.length)))

const familyOf = (address: SocketAddress): number =>
  address._tag === "Unix" ? platform.AF_UNIX : net.isIPv6(address.ip) ? platform.AF_INET6 : platform.AF_INET

const encode = (libc: Libc.Libc, address: SocketAddress): Buffer =>
  address._tag === "Unix" ? encodeUnix(address.path) : encodeInet(libc, address.ip, address.port)

// struct sockaddr_in and sockaddr_in6: family, port, then the IPv4 address, or flow, IPv6 address and zone.
const encodeInet = (libc: Libc.Libc, ip: string, port: number): Buffer => {
  const family = net.isIPv6(ip) ? platform.AF_INET6 : platform.AF_INET
  const bytes = header(family, family === platform.AF_INET6 ? 28 : 16)
  const [text, zone] = ip.split("%")
  bytes.writeUInt16BE(port, 2)
  libc.inet_pton(family, text!, bytes.subarray(family === platform.AF_INET6 ? 8 : 4))
  if (zone !== undefined) bytes.writeUInt32LE(zoneIndex(zone), 24)
  return bytes
}

const zoneIndex = (zone: string): number => {
  const interfaces = os.networkInterfaces()[zone] ?? []
  const found = interfaces.find((one) => one.family === "IPv6" && one.scopeid !== 0)
  return found?.family === "IPv6" ? found.scopeid : Number(zone) || 0
}

/** `struct sockaddr_un`: the zero of an abstract name, written `@name`, stands before it, that of a path behind it. */
export const encodeUnix = (path: string): Buffer => {
  const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : `${path}\0`)
  return Buffer.concat([header(platform.AF_UNIX, 2 + name.length).subarray(0, 2), name])
}

const header = (family: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  if (platform.hasAddressLength) {
    bytes.writeUInt8(length, 0)
    bytes.writeUInt8(family, 1)
  } else {
    bytes.writeUInt16LE(family, 0)
  }
  return bytes
}

// A classic BPF program over the TCP header: drop a segment that has SYN and not ACK, keep all others.
const instruction = (code: number, ifTrue: number, ifFalse: number, operand: number): Buffer => {
  const bytes = Buffer.alloc(8) // struct sock_filter { u16 code; u8 jt; u8 jf; u32 k }
  bytes.writeUInt16LE(code, 0)
  bytes.writeUInt8(ifTrue, 2)
  bytes.writeUInt8(ifFalse, 3)
  bytes.writeUInt32LE(operand, 4)
  return bytes
}

const SYN = 0x02
const ACK = 0x10

const dropOpening = Buffer.concat([
  instruction(0x30, 0, 0, 13), // load the byte with the flags
  instruction(0x54, 0, 0, SYN | ACK), // and
  instruction(0x15, 0, 1, SYN), // equal? then the next one, else the one after
  instruction(0x06, 0, 0, 0), // drop
  instruction(0x06, 0, 0, 0xffffffff) // keep all of it
])
