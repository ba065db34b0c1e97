/**
 * What Effect keeps to itself about a fiber: its children, and whether it can be interrupted right now.
 *
 * When to reach for it: only through `Fibers` and `Gather`.
 * What it is not: public, or promised by Effect: both are private members of its fibers. They are read here and nowhere
 * else, and tests of `Fibers` and `Gather` fail when they are gone.
 */
import type * as Fiber from "effect/Fiber"

type AnyFiber = Fiber.Fiber<unknown, unknown>

interface Private {
  readonly _children?: Set<AnyFiber>
  readonly interruptible?: boolean
}

/** The fibers that a fiber has forked as its children, and their children, parents first; those that are alive. */
export const descendants = (fiber: AnyFiber | undefined): ReadonlyArray<AnyFiber> => {
  const found: Array<AnyFiber> = []
  const visit = (parent: AnyFiber): void => {
    for (const child of (parent as AnyFiber & Private)._children ?? []) {
      found.push(child)
      visit(child)
    }
  }
  if (fiber !== undefined) visit(fiber)
  return found
}

/** Whether the fiber is in a region that cannot be interrupted. */
export const isUninterruptible = (fiber: AnyFiber): boolean => (fiber as AnyFiber & Private).interruptible === false
