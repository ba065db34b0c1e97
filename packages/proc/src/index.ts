/** Child processes: spawned, talked to, and ended with their scope. */
export * as Command from "./Command.ts"
export * as Proc from "./Proc.ts"
export * as ProcError from "./ProcError.ts"
