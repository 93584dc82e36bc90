// Preloaded into the servers of the join bar: the apps stay what a user would write.
process.on("message", (message) => {
  if (message?.type === "meter:read") {
    const { user, system } = process.cpuUsage();
    process.send({ type: "meter:cpu", micros: user + system });
  }
});
