/**
 * Turns what Node says about a failed socket into a `SocketError`.
 *
 * When to reach for it: inside of `Socket`, wherever an "error" event or a callback brings an error.
 * What it is not: public. Errors of the foreign calls come from `native/` and are turned here too.
 */
import { getSystemErrorMap } from "node:util"
import type { CallError } from "../../native/Libc.ts"
import { type Operation, SocketError } from "../../SocketError.ts"

/** The error of an operation that Node failed. */
export const toSocketError = (error: NodeJS.ErrnoException, operation: Operation, address: string): SocketError => {
  const code = error.code ?? "EIO"
  if (error.syscall === "getaddrinfo") {
    const { hostname = address } = error as { readonly hostname?: string }
    return new SocketError({ operation, reason: "UnknownHost", code, address, detail: JSON.stringify(hostname) })
  }
  return new SocketError({ operation, reason: "System", code, address, detail: descriptionOf(error) })
}

/** The error of an operation that the system failed when it was called by FFI, or that cannot be called. */
export const fromCall = (error: CallError, operation: Operation, address: string): SocketError =>
  error._tag === "SystemError"
    ? new SocketError({ operation, reason: "System", code: error.code, address, detail: error.description })
    : new SocketError({
      operation,
      reason: "NotSupported",
      address,
      detail: error.reason,
      expected: "A Node.js that may call the system's functions by FFI"
    })

/** The error of an operation on a socket that this side has closed. */
export const closed = (operation: Operation, address: string): SocketError =>
  new SocketError({ operation, reason: "Closed", address })

// A name with several addresses brings one error for each of them.
const descriptionOf = (error: NodeJS.ErrnoException): string =>
  error instanceof AggregateError && error.errors.length > 0
    ? Array.from(
      new Set(
        error.errors.map((one: NodeJS.ErrnoException & { readonly address?: string }) =>
          one.address === undefined ? systemText(one) : `${systemText(one)} at ${one.address}`
        )
      )
    ).join(", ")
    : systemText(error)

const systemText = (error: NodeJS.ErrnoException): string =>
  (error.errno === undefined ? undefined : getSystemErrorMap().get(error.errno)?.[1]) ?? error.message
