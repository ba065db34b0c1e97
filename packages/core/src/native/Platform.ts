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
  /** Added to the type of a socket: non-blocking and close-on-exec from the start; 0 where there is no such thing. */
  readonly socketFlags: number
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
}

const linux: Platform = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  socketFlags: 0o4000 | 0o2000000,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 26,
  SO_ATTACH_FILTER: 26,
  unixPathBytes: 108,
  hasAbstractSockets: true,
  hasAddressLength: false,
  errnoLocation: "__errno_location",
  prctl: { PR_SET_PDEATHSIG: 1 }
}

const darwin: Platform = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 30,
  SOCK_STREAM: 1,
  socketFlags: 0,
  SOL_SOCKET: 0xffff,
  SO_REUSEADDR: 4,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 27,
  SO_ATTACH_FILTER: undefined,
  unixPathBytes: 104,
  hasAbstractSockets: false,
  hasAddressLength: true,
  errnoLocation: "__error",
  prctl: undefined
}

/** The operating system of this process; undefined where kore-fx does not run. */
export const current: Platform | undefined = process.platform === "linux"
  ? linux
  : process.platform === "darwin"
  ? darwin
  : undefined
