/**
 * The process group of a child: what is signalled, and how long its number means that group.
 *
 * When to reach for it: only through `Process`.
 * What it is not: a way to find processes that have left the group with `setsid`; those mean to live on.
 *
 * The number of a group is the id of its first process. The system gives it to nobody else while that process is not
 * reaped, nor while any process of the group lives. Node reaps at once, so after the end of the first process:
 * a group without members is written off for good, in the very step in which we are told of the end; one with members
 * is still ours until a process is seen whose id is that number, for then it has ended and the number is used again.
 */
import * as fs from "node:fs"
import * as Guard from "./Guard.ts"

/** Tells the code of an error of Node. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error)

/** A group, from the start of its first process to the end of its last. */
export class ProcessGroup {
  readonly id: number
  /** Its first process lives, or is not reaped. */
  private isLed = true
  private isGone = false

  /** Call it in the step that started the first process. */
  constructor(id: number) {
    this.id = id
    Guard.set(id, "add")
  }

  /** Call it in the step that is told of the end of the first process. */
  leaderEnded(): void {
    this.isLed = false
    if (this.isAlive()) Guard.set(this.id, "left")
  }

  /** Sends a signal; false when there is nobody to get it. Throws what Node does: EINVAL, EPERM. */
  signal(signal: NodeJS.Signals | number): boolean {
    return this.isOurs() && this.send(signal)
  }

  /** Whether there are processes of it, be they zombies. */
  isAlive(): boolean {
    if (!this.isOurs()) return false
    try {
      return this.send(0)
    } catch (error) {
      // There is somebody whom we may not signal.
      if (codeOf(error) === "EPERM") return true
      throw error
    }
  }

  /**
   * Whether all that is left of it are zombies, which wait for a parent that does not care: the first process of a
   * container may be such a one. False where the system does not tell.
   */
  isOnlyZombies(): boolean {
    if (process.platform !== "linux") return false
    try {
      for (const entry of fs.readdirSync("/proc")) {
        if (entry < "0" || entry > "9~") continue
        const [state, group] = statOf(entry)
        if (group === String(this.id) && state !== "Z" && state !== "X") return false
      }
      return true
    } catch {
      return false
    }
  }

  private send(signal: NodeJS.Signals | number): boolean {
    try {
      process.kill(-this.id, signal)
      return true
    } catch (error) {
      if (codeOf(error) !== "ESRCH") throw error
      this.writeOff()
      return false
    }
  }

  private isOurs(): boolean {
    if (this.isGone || this.isLed) return !this.isGone
    try {
      process.kill(this.id, 0)
    } catch (error) {
      if (codeOf(error) === "ESRCH") return true
    }
    this.writeOff()
    return false
  }

  private writeOff(): void {
    // Before Node tells of its end, it may be that there is no process any more; the leader is told of in a moment.
    if (this.isLed) return
    this.isGone = true
    Guard.remove(this.id)
  }
}

/** The state and the group of a process, from the line that the system tells about it. */
const statOf = (pid: string): ReadonlyArray<string | undefined> => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8")
    // The name of the program comes before, in parentheses, and may hold anything.
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return [state, group]
  } catch {
    return []
  }
}
