/**
 * The queue of woken fibers that a worker's scheduler runs in bounded turns.
 *
 * When to reach for it: `Scheduler` makes it, which says what is promised; whoever starts fibers by itself asks it for
 * room.
 * What it is not: public.
 */
import type * as Scheduler from "effect/Scheduler"
import * as Ring from "./Ring.ts"

type Task = () => void

const none: ReadonlyArray<Task> = []

/** The woken fibers, and the tasks that wait for the next turn of the event loop. */
export class RunQueue implements Scheduler.SchedulerDispatcher {
  private readonly ready = new Ring.Ring<Task>()
  private later: Array<Task> = []
  private microtaskArmed = false
  private turnArmed = false
  private running = false
  private left: number
  private readonly perTurn: number

  constructor(perTurn: number) {
    this.perTurn = perTurn
    this.left = perTurn
  }

  scheduleTask(task: Task, priority: number): void {
    if (priority > 0) this.later.push(task)
    else this.ready.push(task)
    if (!this.running) this.arm()
  }

  endTurn(): void {
    this.left = 0
  }

  /** For whoever would run something at once rather than add it: false when this turn has no room for it. */
  takeRoom(): boolean {
    if (this.left <= 0) return false
    this.left--
    return true
  }

  flush(): void {
    this.left = Infinity
    try {
      while (this.ready.length > 0 || this.later.length > 0) this.run(this.takeLater())
    } finally {
      this.left = this.perTurn
    }
  }

  private readonly onMicrotask = (): void => {
    this.microtaskArmed = false
    this.run(none)
  }

  private readonly onTurn = (): void => {
    this.turnArmed = false
    this.left = this.perTurn
    this.run(this.takeLater())
  }

  private takeLater(): ReadonlyArray<Task> {
    if (this.later.length === 0) return none
    const due = this.later
    this.later = []
    return due
  }

  private run(due: ReadonlyArray<Task>): void {
    const outer = this.running
    let i = 0
    this.running = true
    try {
      while (i < due.length) due[i++]!()
      while (this.left > 0 && this.ready.length > 0) {
        this.left--
        this.ready.shift()()
      }
    } finally {
      this.running = outer
      // A task that throws is the process's uncaught exception; the tasks behind it must not be lost with it.
      if (i < due.length) this.later = due.slice(i).concat(this.later)
      this.arm()
    }
  }

  private arm(): void {
    if (this.ready.length > 0 && this.left > 0) {
      if (this.microtaskArmed) return
      this.microtaskArmed = true
      queueMicrotask(this.onMicrotask)
    } else if (!this.turnArmed && (this.ready.length > 0 || this.later.length > 0)) {
      this.turnArmed = true
      setImmediate(this.onTurn)
    }
  }
}
