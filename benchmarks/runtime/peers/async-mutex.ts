/** The `Mutex` of `async-mutex`. */
import { Mutex } from "async-mutex"
import type { Work } from "../Peer.ts"
import * as Programs from "../promisePrograms.ts"

const mutex = new Mutex()
const withLock = (work: () => void | Promise<void>): Promise<void> => mutex.runExclusive(work)

export const works: Record<string, Work> = {
  "lock/free": Programs.freeLock(withLock),
  "lock/hand-over-2": Programs.handOvers(2, withLock),
  "lock/hand-over-100": Programs.handOvers(100, withLock)
}
