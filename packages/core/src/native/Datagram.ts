/**
 * UNIX datagram sockets, which Node does not have: one message at a time, with its sender, and with the descriptors and
 * credentials that may come along.
 *
 * When to reach for it: `Socket.unixDatagram` is built on it. Nothing here waits; see `Readiness`.
 * What it is not: an Effect, unlike its neighbours. A message is taken in the last step of whoever receives it.
 *
 * Functions that ask the system give the number of the error where they fail.
 */
import * as Result from "effect/Result"
import * as Libc from "./Libc.ts"
import * as Platform from "./Platform.ts"
import { encodeUnix } from "./Socket.ts"

/** What a message brought besides its bytes, as cmsg(3) has it. */
export interface Ancillary {
  readonly level: number
  readonly type: number
  readonly data: Buffer
}

/** Who sent a message, vouched for by the kernel. */
export interface Credentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** One message. */
export interface Message {
  /** The sender's path or `@name`; empty when it has none. */
  readonly path: string
  readonly data: Buffer
  /** The bytes it had when it was sent. */
  readonly size: number
  /** Descriptors that came along, closed on exec; whoever receives them owns them. */
  readonly descriptors: ReadonlyArray<number>
  readonly credentials: Credentials | undefined
  /** Everything that came along, the two above included, as it came. */
  readonly ancillary: ReadonlyArray<Ancillary>
  /** More came along than there was room for; the kernel closed what did not fit. */
  readonly isAncillaryCut: boolean
}

/** Makes a socket, non-blocking and closed on exec. */
export const open = (
  libc: Libc.Libc,
  domain: number,
  type: number
): Result.Result<number, Libc.SystemError> => {
  const descriptor = libc.socket(domain, type | platform.socketFlags, 0)
  if (descriptor < 0) return Result.fail(Libc.systemError("socket", libc.errno()))
  if (platform.socketFlags === 0) libc.closeOnExec(descriptor)
  return Result.succeed(descriptor)
}

/** Binds a socket to a path or `@name`; with an empty one the system chooses an abstract name that nobody has. */
export const bind = (libc: Libc.Libc, descriptor: number, path: string): number => {
  const address = path === "" ? encodeUnix("").subarray(0, 2) : encodeUnix(path)
  return libc.bind(descriptor, address, address.length) < 0 ? libc.errno() : 0
}

/** Gives a socket a peer: it sends to it and receives from nobody else. */
export const connect = (libc: Libc.Libc, descriptor: number, path: string): number => {
  const address = encodeUnix(path)
  return libc.connect(descriptor, address, address.length) < 0 ? libc.errno() : 0
}

/** The path or `@name` that a socket is bound to; empty when it is not. */
export const nameOf = (libc: Libc.Libc, descriptor: number): string => nameBy(libc.getsockname, descriptor)

/** The path or `@name` that the peer of a socket is bound to, as messages from it have it. */
export const peerNameOf = (libc: Libc.Libc, descriptor: number): string => nameBy(libc.getpeername, descriptor)

/** Lets messages carry the credentials of their senders. */
export const passCredentials = (libc: Libc.Libc, descriptor: number): number =>
  setOption(libc, descriptor, platform.SOL_SOCKET, messages.SO_PASSCRED, 1)

/** Sets an option that is a number, or bytes as the option has them. */
export const setOption = (
  libc: Libc.Libc,
  descriptor: number,
  level: number,
  option: number,
  value: number | Uint8Array
): number => {
  const bytes = typeof value === "number" ? Buffer.alloc(4) : Buffer.from(value)
  if (typeof value === "number") bytes.writeInt32LE(value)
  return libc.setsockopt(descriptor, level, option, bytes, bytes.length) < 0 ? libc.errno() : 0
}

/** Sends one message, whole or not at all, to a path or `@name` or, without one, to the peer. */
export const send = (
  libc: Libc.Libc,
  descriptor: number,
  path: string | undefined,
  data: Buffer,
  descriptors: ReadonlyArray<number>
): number => {
  const parts = partsOf(libc)
  const name = path === undefined ? undefined : encodeUnix(path)
  const control = descriptors.length === 0 ? undefined : encodeDescriptors(descriptors)
  parts.point(data, name, name?.length ?? 0, control, control?.length ?? 0)
  const flags = platform.MSG_DONTWAIT | messages.MSG_NOSIGNAL
  return libc.sendmsg(descriptor, parts.header, flags) < 0 ? libc.errno() : 0
}

/** Takes the next message, `maxBytes` of it at most. Without `withAncillary`, what came along is thrown away. */
export const receive = (
  libc: Libc.Libc,
  descriptor: number,
  maxBytes: number,
  withAncillary: boolean
): Message | number => {
  const { MSG_CMSG_CLOEXEC, MSG_CTRUNC, MSG_PEEK, MSG_TRUNC } = messages
  const waiting = libc.recv(descriptor, null, 0, platform.MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC)
  if (waiting < 0) return libc.errno()
  const parts = partsOf(libc)
  const data = Buffer.allocUnsafeSlow(Math.min(waiting, maxBytes))
  parts.point(data, parts.name, nameBytes, withAncillary ? parts.control : undefined, controlBytes)
  const size = libc.recvmsg(descriptor, parts.header, platform.MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC)
  if (size < 0) return libc.errno()
  const ancillary = withAncillary ? decodeControl(parts.control, parts.controlLength) : []
  return {
    path: decode(parts.name, parts.nameLength),
    data: data.subarray(0, Math.min(size, data.length)),
    size,
    descriptors: ancillary.flatMap(descriptorsOf),
    credentials: ancillary.map(credentialsOf).find((credentials) => credentials !== undefined),
    ancillary,
    isAncillaryCut: withAncillary && (parts.flags & MSG_CTRUNC) !== 0
  }
}

// --- private ---------------------------------------------------------------------------------------------------------

// Whoever has a `Libc` has a platform, and whoever has a `Readiness` one with messages.
const platform = Platform.current as Platform.Platform
const messages = platform?.messages as Platform.Messages

const nameBytes = 112 // struct sockaddr_un, and room for a zero
const controlBytes = 1024 // as in Kore

const nameBy = (ask: Libc.Libc["getsockname"], descriptor: number): string => {
  const address = Buffer.alloc(nameBytes)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(address.length)
  return ask(descriptor, address, length) < 0 ? "" : decode(address, length.readUInt32LE())
}

/** `struct msghdr` and what it points at. One for all: a call is over before the next begins. */
class Parts {
  readonly header = Buffer.alloc(56)
  readonly name = Buffer.alloc(nameBytes)
  readonly control = Buffer.alloc(controlBytes)
  private readonly vector = Buffer.alloc(16) // struct iovec { void *base; size_t length }
  private readonly libc: Libc.Libc

  constructor(libc: Libc.Libc) {
    this.libc = libc
  }

  point(
    data: Buffer,
    name: Buffer | undefined,
    nameLength: number,
    control: Buffer | undefined,
    controlLength: number
  ): void {
    const { header, libc, vector } = this
    vector.writeBigUInt64LE(data.length === 0 ? 0n : libc.pointer(data), 0)
    vector.writeBigUInt64LE(BigInt(data.length), 8)
    header.fill(0)
    header.writeBigUInt64LE(name === undefined ? 0n : libc.pointer(name), 0)
    header.writeUInt32LE(nameLength, 8)
    header.writeBigUInt64LE(libc.pointer(vector), 16)
    header.writeBigUInt64LE(1n, 24)
    header.writeBigUInt64LE(control === undefined ? 0n : libc.pointer(control), 32)
    header.writeBigUInt64LE(control === undefined ? 0n : BigInt(controlLength), 40)
  }

  get nameLength(): number {
    return this.header.readUInt32LE(8)
  }

  get controlLength(): number {
    return Number(this.header.readBigUInt64LE(40))
  }

  get flags(): number {
    return this.header.readInt32LE(48)
  }
}

let parts: Parts | undefined
const partsOf = (libc: Libc.Libc): Parts => parts ??= new Parts(libc)

// The name of an abstract socket follows a zero byte, that of a file ends with one.
const decode = (address: Buffer, length: number): string => {
  if (length <= 2) return ""
  const name = address.subarray(2, length)
  if (name[0] === 0) return `@${name.toString("utf8", 1)}`
  const end = name.indexOf(0)
  return name.toString("utf8", 0, end < 0 ? name.length : end)
}

// struct cmsghdr { size_t length; int level; int type }, then the data, each aligned to 8 bytes
const aligned = (length: number): number => Math.ceil(length / 8) * 8

const decodeControl = (control: Buffer, length: number): ReadonlyArray<Ancillary> => {
  const found: Array<Ancillary> = []
  for (let at = 0; at + 16 <= length;) {
    const bytes = Number(control.readBigUInt64LE(at))
    if (bytes < 16) break
    found.push({
      level: control.readInt32LE(at + 8),
      type: control.readInt32LE(at + 12),
      data: Buffer.from(control.subarray(at + 16, Math.min(at + bytes, length)))
    })
    at += aligned(bytes)
  }
  return found
}

const encodeDescriptors = (descriptors: ReadonlyArray<number>): Buffer => {
  const length = 16 + 4 * descriptors.length
  const control = Buffer.alloc(aligned(length))
  control.writeBigUInt64LE(BigInt(length), 0)
  control.writeInt32LE(platform.SOL_SOCKET, 8)
  control.writeInt32LE(messages.SCM_RIGHTS, 12)
  for (const [index, descriptor] of descriptors.entries()) control.writeInt32LE(descriptor, 16 + 4 * index)
  return control
}

const descriptorsOf = ({ data, level, type }: Ancillary): ReadonlyArray<number> =>
  level === platform.SOL_SOCKET && type === messages.SCM_RIGHTS
    ? Array.from({ length: data.length / 4 }, (_, index) => data.readInt32LE(4 * index))
    : []

const credentialsOf = ({ data, level, type }: Ancillary): Credentials | undefined =>
  level === platform.SOL_SOCKET && type === messages.SCM_CREDENTIALS
    ? { pid: data.readInt32LE(0), uid: data.readUInt32LE(4), gid: data.readUInt32LE(8) }
    : undefined
