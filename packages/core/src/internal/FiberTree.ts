/**
 * The fibers that a fiber has forked as its children and that are still alive.
 *
 * When to reach for it: only through `Fibers`.
 * What it is not: public, or promised by Effect: the set of children is a private member of its fibers. It is read here
 * and nowhere else; without it the list is shorter, and a test says so.
 */
import type * as Fiber from "effect/Fiber"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** All descendants, parents before their children. */
export const descendants = (fiber: AnyFiber | undefined): ReadonlyArray<AnyFiber> => {
  const found: Array<AnyFiber> = []
  const visit = (parent: AnyFiber): void => {
    for (const child of childrenOf(parent)) {
      found.push(child)
      visit(child)
    }
  }
  if (fiber !== undefined) visit(fiber)
  return found
}

const childrenOf = (fiber: AnyFiber): Iterable<AnyFiber> =>
  (fiber as AnyFiber & { readonly _children?: Set<AnyFiber> })._children ?? []
