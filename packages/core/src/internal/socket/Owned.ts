/**
 * A socket that belongs to a scope, and can be closed before it.
 *
 * When to reach for it: inside of `Socket`; every socket extends `Owned`.
 * What it is not: public.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

export abstract class Owned {
  private owner: Scope.Closeable | undefined = undefined
  private isDiscarded = false

  /** Frees everything and wakes who waits; called once. */
  protected abstract shut(): void

  /** Closes a socket that nobody owns yet. */
  discard(): void {
    if (this.isDiscarded) return
    this.isDiscarded = true
    this.shut()
  }

  private get release(): Effect.Effect<void> {
    return Effect.sync(() => this.discard())
  }

  /** Closed early, a socket is taken out of its scope, which may live long and have many. */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() => this.owner === undefined ? this.release : Scope.close(this.owner, Exit.void))
  }

  /**
   * Gives the socket to the scope of the effect, and what is to be done before it is closed. Call it only where the
   * fiber cannot be interrupted.
   */
  own(before: Effect.Effect<void> = Effect.void): Effect.Effect<this, never, Scope.Scope> {
    return Effect.flatMap(Effect.scope, (scope) => {
      this.owner = Scope.forkUnsafe(scope)
      return Effect.as(Scope.addFinalizer(this.owner, Effect.andThen(before, this.release)), this)
    })
  }
}
