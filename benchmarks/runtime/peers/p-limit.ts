/** `p-limit` and `Promise.allSettled`: a gather that says of every child how it ended. */
import pLimit from "p-limit"
import type { Work } from "../Peer.ts"
import * as Programs from "../promisePrograms.ts"

const gather = (child: (i: number) => number | Promise<number>): Work =>
  Programs.gathers(10_000, (numbers) => {
    const limit = pLimit(100)
    return Promise.allSettled(numbers.map((i) => limit(child, i)))
  })

export const works: Record<string, Work> = {
  "gather/synchronous": gather(Programs.synchronous),
  "gather/yielding": gather(Programs.yielding)
}
