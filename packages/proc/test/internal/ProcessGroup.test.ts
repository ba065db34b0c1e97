import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ProcessGroup } from "../../src/internal/ProcessGroup.ts"
import * as Proc from "../../src/Proc.ts"
import { isAlive } from "../fixtures/processes.ts"

describe("a group that its first process left", () => {
  it.effect("is not signalled when its number is a process again, which shows that the group has ended", () =>
    Effect.gen(function*() {
      // A stranger, as if the system had given it the number of a group of ours.
      const stranger = yield* Proc.spawn(["sleep", "1000"])
      const group = new ProcessGroup(stranger.pid)
      group.leaderEnded()
      assert.isFalse(group.signal("SIGKILL"))
      assert.isFalse(group.isAlive())
      assert.isTrue(isAlive(stranger.pid))
    }))

  it.effect("is written off for good when it has no members", () =>
    Effect.gen(function*() {
      const proc = yield* Proc.spawn(["true"])
      yield* Proc.reap(proc)
      const group = new ProcessGroup(proc.pid)
      group.leaderEnded()
      assert.isFalse(group.isAlive())
      const { kill } = process
      yield* Effect.acquireRelease(
        Effect.sync(() => (process.kill = () => assert.fail("a number that is not ours was used"))),
        () => Effect.sync(() => (process.kill = kill))
      )
      assert.isFalse(group.signal("SIGKILL"))
    }))
})
