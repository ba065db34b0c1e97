/**
 * The locks of the keys that somebody holds or waits for.
 *
 * When to reach for it: only through `KeyedLock`, which says what is promised.
 * What it is not: public.
 */
import * as Formatter from "effect/Formatter"
import { identity } from "effect/Function"
import type * as Types from "effect/Types"
import * as LockImpl from "./LockImpl.ts"

export const TypeId = "~@kore-fx/core/KeyedLock"

/** The lock of one key. */
export class LockOfKey<K> extends LockImpl.LockImpl {
  readonly key: K
  /** How many fibers hold it or wait for it. */
  users = 0

  constructor(name: string | undefined, key: K) {
    super(name)
    this.key = key
  }

  override get label(): string {
    return `${super.label} ${Formatter.format(this.key)}`
  }
}

export class KeyedLockImpl<K> {
  readonly [TypeId]: Types.Contravariant<K> = identity
  private readonly name: string | undefined
  private readonly locks = new Map<K, LockOfKey<K>>()

  constructor(name: string | undefined) {
    this.name = name
  }

  get size(): number {
    return this.locks.size
  }

  /** The lock of a key, for one more fiber. */
  enter(key: K): LockOfKey<K> {
    let lock = this.locks.get(key)
    if (lock === undefined) {
      lock = new LockOfKey(this.name, key)
      this.locks.set(key, lock)
    }
    lock.users++
    return lock
  }

  /** A fiber neither holds the lock nor waits for it any more. */
  leave(lock: LockOfKey<K>): void {
    if (--lock.users === 0) this.locks.delete(lock.key)
  }
}
