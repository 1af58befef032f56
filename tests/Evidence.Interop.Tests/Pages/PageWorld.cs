using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Pages;

/// <summary>
/// The machines of a page's parties: a home for each, with keys of its own, side by side in a folder, so that what is carried from one to another is copied. The clock
/// stands at each command's own time (libfaketime). What runs in the background ends with this.
/// </summary>
internal sealed partial class PageWorld : IDisposable
{
    /// <summary>What the folder of homes is called on a page.</summary>
    private const string HomesOnPage = "/home";

    /// <summary>The time at all clocks, also of what runs in the background.</summary>
    private const string Clock = ".clock";

    private static int counter;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("evidence-page-");
    private readonly List<RunningProcess> background = [];

    /// <summary>On a page services are at 127.0.0.1; here at an address that no other process has, so that the page's ports are free.</summary>
    private readonly string address = string.Create(
        CultureInfo.InvariantCulture, $"127.{64 + (Interlocked.Increment(ref counter) % 64)}.{Environment.ProcessId >> 8 & 0xFF}.{Environment.ProcessId & 0xFF}");

    /// <param name="docs">The repository's folder of documentation; beside the homes, by its own name.</param>
    /// <param name="parties">Whose homes there are.</param>
    internal PageWorld(string docs, IEnumerable<string> parties)
    {
        Peer.Require("bash", "faketime", "openssl", "python3");
        Directory.CreateDirectory(At(".bin"));
        string clock = Directory.EnumerateDirectories("/usr/lib").Select(path => Path.Combine(path, "faketime", "libfaketimeMT.so.1")).First(File.Exists);
        WriteCommand("evidence", clock, Path.Combine(AppContext.BaseDirectory, "Evidence.Cli"));
        WriteCommand("openssl", clock, "/usr/bin/openssl");
        WriteCommand("python3", clock, "/usr/bin/python3");
        File.CreateSymbolicLink(At(Path.GetFileName(docs)), docs);
        foreach (string party in parties)
            Directory.CreateDirectory(At(party));
    }

    /// <summary>Runs a command; what it printed comes as the page writes it.</summary>
    internal IReadOnlyList<string> Run(PageStep step)
    {
        File.WriteAllText(At(Clock), step.Time + "\n");
        var running = new RunningProcess(StartInfo(step));
        if (step.IsInBackground)
        {
            background.Add(running);
            // It has begun when it has said what it says; who rewrites the page waits for the first line alone.
            running.WaitUntil(() => running.Shown.Count(c => c == '\n') >= Math.Max(1, step.Output.Count));
            return running.HasExited ? Lines(running.Wait()) : Lines(running.Shown);
        }

        using (running)
            return Lines(running.Wait());
    }

    public void Dispose()
    {
        foreach (RunningProcess running in background)
            running.Dispose();
        folder.Delete(recursive: true);
    }

    private ProcessStartInfo StartInfo(PageStep step)
    {
        string home = At(step.Party);
        string line = step.Command.Replace("127.0.0.1", address, StringComparison.Ordinal);
        var start = new ProcessStartInfo("bash", ["-c", $"exec 2>&1\n{(step.IsInBackground ? "exec " + line[..^2] : line)}"]) { WorkingDirectory = home };
        foreach (string name in (string[])["EVIDENCE_HOME", "EVIDENCE_VAULT", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "FAKETIME"])
            start.Environment.Remove(name);
        foreach ((string name, string value) in ((string, string)[])[
            ("HOME", home), ("EVIDENCE_ACTOR", step.Party), ("PATH", $"{At(".bin")}:{start.Environment["PATH"]}"), ("TZ", "UTC"), ("LC_ALL", "C.UTF-8"),
            ("DOTNET_EnableDiagnostics", "0"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("FAKETIME_DISABLE_SHM", "1"), ("NO_FAKE_STAT", "1")])
        {
            start.Environment[name] = value;
        }

        if (step.IsInBackground)
            (start.Environment["FAKETIME_TIMESTAMP_FILE"], start.Environment["FAKETIME_NO_CACHE"]) = (At(Clock), "1");
        else
            start.Environment["FAKETIME"] = step.Time;
        return start;
    }

    /// <summary>
    /// A command that sees the clock. Only such commands do: the shell's own processes would share with them what libfaketime keeps, and the first of them to end takes it
    /// from the others.
    /// </summary>
    private void WriteCommand(string name, string clock, string program)
    {
        File.WriteAllText(At($".bin/{name}"), $"#!/bin/sh\nexec env LD_PRELOAD='{clock}' '{program}' \"$@\"\n");
        File.SetUnixFileMode(At($".bin/{name}"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private string[] Lines(CommandResult result)
    {
        Assert.Equal("", result.Errors);
        return result.ExitCode == 0
            ? Lines(result.Text)
            : [.. Lines(result.Text), string.Create(CultureInfo.InvariantCulture, $"[exit {result.ExitCode}]")];
    }

    /// <summary>What is shown of what was printed: no progress.</summary>
    private string[] Lines(string text)
    {
        string page = TrailingSpace().Replace(text.Replace(address, "127.0.0.1", StringComparison.Ordinal).Replace(folder.FullName, HomesOnPage, StringComparison.Ordinal), "");
        return page.Length == 0 ? [] : [.. page.TrimEnd('\n').Split('\n').Where(line => !Progress().IsMatch(line))];
    }

    private string At(string name) => Path.Combine(folder.FullName, name);

    /// <summary>What a command says every few seconds where a machine is slow.</summary>
    [GeneratedRegex(@"^[^:]+: [a-z ]+, [^,]+, [\d.]+ ([KMG]iB|bytes)/s", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Progress();

    [GeneratedRegex("[ \t]+$", RegexOptions.Multiline, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex TrailingSpace();
}
