/**
 * Timeouts in milliseconds, as the old API takes them.
 *
 * When to reach for it: the optional last argument of `recv`, and that of `kore.proc`.
 * What it is not: a timer, or the limit itself, which core and proc keep.
 */
import { describe } from "../Coroutine.ts"
import { RuntimeError } from "../errors.ts"

/** No timeout, in Kore. */
const NONE = -1

/**
 * The milliseconds; undefined for none, which is -1 or nothing.
 *
 * @throws RuntimeError for anything but a finite number from 0.
 */
export const check = (call: string, timeout: number | null | undefined): number | undefined => {
  if (timeout === undefined || timeout === null || timeout === NONE) return undefined
  if (Number.isFinite(timeout) && timeout >= 0) return timeout
  throw new RuntimeError(
    `${call} got the timeout ${describe(timeout)}, expected a number of milliseconds from 0, or -1 for none`
  )
}
