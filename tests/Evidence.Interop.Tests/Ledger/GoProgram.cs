using System.Runtime.CompilerServices;
using Xunit;

namespace Evidence.Interop.Tests.Ledger;

/// <summary>A program of ours, in the folder of its name beside this file, over the Go project's own transparency log.</summary>
internal static class GoProgram
{
    /// <summary>Builds it against the distribution's packaged sources: no module download.</summary>
    /// <returns>The program.</returns>
    internal static async Task<string> BuildAsync(string name, [CallerFilePath] string thisFile = "")
    {
        Peer.Require("go");
        string program = Path.Combine(AppContext.BaseDirectory, name);
        (int exitCode, string output) = await Peer.RunAsync(
            "go", ["build", "-o", program, Path.Combine(Path.GetDirectoryName(thisFile)!, name, "main.go")], AppContext.BaseDirectory,
            ("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOFLAGS", ""));
        Assert.True(exitCode == 0, output);
        return program;
    }
}
