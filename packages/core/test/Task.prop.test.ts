import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Task from "../src/Task.ts"
import * as Tracer from "../src/Tracer.ts"

const Which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))

const Count = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 80 }))

const Step = Schema.Union([
  Schema.Struct({ do: Schema.Literal("create"), count: Count }),
  Schema.Struct({ do: Schema.Literal("kill"), which: Which }),
  Schema.Struct({ do: Schema.Literal("end"), which: Which, ending: Schema.Literals(["succeed", "fail", "die"]) })
])

const Steps = Schema.Array(Step).check(Schema.isMaxLength(40))

interface Started {
  readonly task: Task.Task
  readonly gate: Deferred.Deferred<string, string>
}

const endings = { succeed: Exit.succeed("succeed"), fail: Exit.fail("fail"), die: Exit.die("die") }

describe("laws of tasks", () => {
  it.effect.prop(
    "a task is alive until it ends or is killed, is then gone, and is reported once if and only if it failed",
    { steps: Steps },
    ({ steps }) =>
      Effect.gen(function*() {
        const reported: Array<string> = []
        const failed: Array<string> = []
        const tracer = Tracer.layer((cause, origin) =>
          Effect.sync(() => reported.push(`${origin.kind} ${origin.id} ${String(Cause.squash(cause))}`))
        )
        yield* Effect.gen(function*() {
          const alive: Array<Started> = []
          const gone: Array<Started> = []
          const pick = (which: number): Started | undefined =>
            alive.length === 0 ? undefined : alive.splice(which % alive.length, 1)[0]!
          for (const step of steps) {
            if (step.do === "create") {
              for (let n = 0; n < step.count; n++) {
                const gate = yield* Deferred.make<string, string>()
                alive.push({ gate, task: yield* Task.create(Deferred.await(gate)) })
              }
              continue
            }
            const started = pick(step.which)
            if (started === undefined) continue
            if (step.do === "kill") {
              assert.isTrue(yield* Task.kill(started.task.id))
              assert.isTrue(Exit.hasInterrupts(yield* started.task.await))
            } else {
              yield* Deferred.done(started.gate, endings[step.ending])
              assert.deepStrictEqual<unknown>(yield* started.task.await, endings[step.ending])
              if (step.ending !== "succeed") failed.push(`task ${started.task.id} ${step.ending}`)
            }
            gone.push(started)
          }
          for (const { task } of gone) assert.isFalse(yield* Task.kill(task.id))
          for (const { task } of alive) assert.isTrue(yield* Task.kill(task.id))
        }).pipe(Effect.provide(Layer.provide(Task.Tasks.layer, tracer)))
        assert.deepStrictEqual(reported, failed)
      }),
    { arbitrary: { runs: 200, size: 60 } }
  )
})
