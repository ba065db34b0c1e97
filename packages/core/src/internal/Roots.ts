/**
 * Who started the fibers of this process: where `Fibers` finds its rows, and a report the request behind a task.
 *
 * When to reach for it: inside core, for whoever keeps a table of fibers.
 * What it is not: a table of its own. It asks the tables when somebody looks, so that keeping a fiber costs nothing here.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type * as Tracer from "../Tracer.ts"

/** A fiber that somebody started by itself: a task, a request. */
export interface Root {
  readonly kind: string
  readonly name: string
  readonly id: number
  /** When it was made, in milliseconds of `performance.now()`. */
  readonly created: number
  /** None before it has begun and after it has ended. */
  readonly fiber: Fiber.Fiber<unknown, unknown> | undefined
}

/** A table of roots. */
export interface Source {
  readonly roots: () => Iterable<Root>
  /** What a Context says about the root that it was made for, such as the request a task serves. */
  readonly describe?: (context: Context.Context<never>) => Readonly<Record<string, unknown>> | undefined
}

const sources = new Set<Source>()

/** Adds a table until the scope closes. */
export const addSource = (source: Source): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => void sources.add(source)),
    () => Effect.sync(() => void sources.delete(source))
  )

/** All roots of the process. */
export const values = (): Array<Root> => Array.from(sources, (source) => Array.from(source.roots())).flat()

// What the tables know about whom a Context was made for.
const describe = (context: Context.Context<never>): Readonly<Record<string, unknown>> | undefined => {
  for (const source of sources) {
    const details = source.describe?.(context)
    if (details !== undefined) return details
  }
  return undefined
}

/** Where a failure of a root comes from, with what is known about whom it worked for. */
export const originOf = ({ id, kind, name }: Root, context: Context.Context<never>): Tracer.Origin => {
  const details = describe(context)
  return details === undefined ? { kind, name, id } : { kind, name, id, details }
}
