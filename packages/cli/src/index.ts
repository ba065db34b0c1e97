/** The command line of kore-fx, for programs that embed it. */
export * as AppFile from "./AppFile.ts"
export * as CliError from "./CliError.ts"
export * as Diagnosis from "./Diagnosis.ts"
export * as Main from "./Main.ts"
