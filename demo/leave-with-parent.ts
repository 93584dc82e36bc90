// Preloaded into every process of the demo: one that is killed outright can end nobody, but its channel closes.
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
