using System.Diagnostics;
using Xunit;

namespace Evidence.Interop.Tests.Harness;

/// <summary>Other people's tools.</summary>
internal static class Peer
{
    private static readonly string[] Folders =
    [
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries), "/usr/local/sbin", "/usr/sbin", "/sbin",
    ];

    private static bool IsCi => string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.Ordinal);

    /// <summary>Skips the test where a tool is missing; in CI that fails it.</summary>
    internal static void Require(params string[] tools)
    {
        string[] missing = [.. tools.Where(tool => Find(tool) is null)];
        if (missing.Length > 0)
            Lacking($"There is no {string.Join(", no ", missing)} here.");
    }

    /// <summary>Skips the test without root; in CI that fails it.</summary>
    internal static void RequireRoot(string why)
    {
        if (!Environment.IsPrivilegedProcess)
            Lacking($"{why} needs root.");
    }

    /// <summary>Skips the test for a reason of its own; in CI that fails it.</summary>
    internal static void Lacking(string what)
    {
        if (IsCi)
            Assert.Fail(what);
        Assert.Skip(what);
    }

    internal static string Run(string tool, params string[] arguments)
    {
        CommandResult result = TryRun(tool, arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Text;
    }

    internal static CommandResult TryRun(string tool, params string[] arguments)
    {
        using var process = new RunningProcess(new ProcessStartInfo(Find(tool) ?? tool, arguments));
        return process.Wait();
    }

    /// <summary>What <c>md5sum</c> and its siblings say of a file.</summary>
    internal static string Sum(string algorithm, string path)
    {
        Require(algorithm + "sum");
        return Run(algorithm + "sum", "--binary", "--", path).TrimStart('\\').Split(' ')[0];
    }

    /// <summary>Every byte of two files is the same, and so is their length.</summary>
    internal static void Compare(string expected, string actual)
    {
        Require("cmp");
        Run("cmp", expected, actual);
    }

    private static string? Find(string tool) =>
        Folders.Select(folder => Path.Combine(folder, tool)).FirstOrDefault(File.Exists);
}
