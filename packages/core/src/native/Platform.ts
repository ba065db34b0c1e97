/**
 * The numbers of the C interface that differ between operating systems.
 *
 * When to reach for it: a module of `native/` makes a call that takes one of them.
 * What it is not: a list of what is tested. Linux is; the macOS column follows its headers.
 */

/** Constants and layout of one operating system. */
export interface Platform {
  readonly AF_UNIX: number
  readonly AF_INET: number
  readonly AF_INET6: number
  readonly SOCK_STREAM: number
  readonly SOCK_DGRAM: number
  /** Added to the type of a socket: non-blocking and close-on-exec from the start; 0 where there is no such thing. */
  readonly socketFlags: number
  /** As `socketFlags`, of which it is a part: close-on-exec alone. */
  readonly SOCK_CLOEXEC: number
  /** The request of ioctl(2) that has a descriptor closed on exec. */
  readonly FIOCLEX: number
  /** Flag of one call of send(2) and its like: do not wait. */
  readonly MSG_DONTWAIT: number
  readonly SOL_SOCKET: number
  readonly SO_REUSEADDR: number
  readonly IPPROTO_IPV6: number
  readonly IPV6_V6ONLY: number
  /** Attaches a packet filter to a socket; Linux only. */
  readonly SO_ATTACH_FILTER: number | undefined
  /** The bytes of `sun_path`, the zero at the end included. */
  readonly unixPathBytes: number
  /** Sockets that have a name but no file, written `@name`. */
  readonly hasAbstractSockets: boolean
  /** A socket address starts with its length in one byte and its family in one, not with its family in two. */
  readonly hasAddressLength: boolean
  /** The function that tells where `errno` is. */
  readonly errnoLocation: "__errno_location" | "__error"
  /** Options of prctl(2); Linux only. */
  readonly prctl: { readonly PR_SET_PDEATHSIG: number } | undefined
  /** Messages with ancillary data, sendmsg(2) and recvmsg(2), in the layout of 64-bit Linux; Linux only. */
  readonly messages: Messages | undefined
}

/** What UNIX datagrams with descriptors and credentials take. */
export interface Messages {
  readonly SO_PASSCRED: number
  readonly SCM_RIGHTS: number
  readonly SCM_CREDENTIALS: number
  readonly MSG_PEEK: number
  readonly MSG_TRUNC: number
  readonly MSG_CTRUNC: number
  readonly MSG_NOSIGNAL: number
  readonly MSG_CMSG_CLOEXEC: number
  readonly EAGAIN: number
  readonly EADDRINUSE: number
  readonly ECONNREFUSED: number
}

const linux: Platform = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  socketFlags: 0o4000 | 0o2000000,
  SOCK_CLOEXEC: 0o2000000,
  FIOCLEX: 0x5451,
  MSG_DONTWAIT: 0x40,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 26,
  SO_ATTACH_FILTER: 26,
  unixPathBytes: 108,
  hasAbstractSockets: true,
  hasAddressLength: false,
  errnoLocation: "__errno_location",
  prctl: { PR_SET_PDEATHSIG: 1 },
  messages: {
    SO_PASSCRED: 16,
    SCM_RIGHTS: 1,
    SCM_CREDENTIALS: 2,
    MSG_PEEK: 0x2,
    MSG_TRUNC: 0x20,
    MSG_CTRUNC: 0x8,
    MSG_NOSIGNAL: 0x4000,
    MSG_CMSG_CLOEXEC: 0x4000_0000,
    EAGAIN: 11,
    EADDRINUSE: 98,
    ECONNREFUSED: 111
  }
}

const darwin: Platform = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 30,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  socketFlags: 0,
  SOCK_CLOEXEC: 0,
  FIOCLEX: 0x20006601,
  MSG_DONTWAIT: 0x80,
  SOL_SOCKET: 0xffff,
  SO_REUSEADDR: 4,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 27,
  SO_ATTACH_FILTER: undefined,
  unixPathBytes: 104,
  hasAbstractSockets: false,
  hasAddressLength: true,
  errnoLocation: "__error",
  prctl: undefined,
  messages: undefined
}

/** The operating system of this process; undefined where kore-fx does not run. */
export const current: Platform | undefined = process.platform === "linux"
  ? linux
  : process.platform === "darwin"
  ? darwin
  : undefined
