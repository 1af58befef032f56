using System.Diagnostics;
using System.Globalization;
using System.Text;
using Xunit;

namespace Evidence.Interop.Tests.Harness;

/// <summary>A process whose output is collected; whoever still runs when its time is over is killed, and fails the test.</summary>
internal sealed class RunningProcess : IDisposable
{
    /// <summary>With EVIDENCE_LONG=1 there are gigabytes to go through, and other campaigns may run beside.</summary>
    private static readonly TimeSpan Longest = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1" ? TimeSpan.FromMinutes(30) : TimeSpan.FromMinutes(2);

    private readonly string what;
    private readonly Process process;
    private readonly MemoryStream shown = new();
    private readonly Task<byte[]> output;
    private readonly Task<string> errors;

    internal RunningProcess(ProcessStartInfo start)
    {
        what = $"{start.FileName} {string.Join(' ', start.ArgumentList)}";
        start.UseShellExecute = false;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        process = Process.Start(start)!;
        output = ReadAsync(process.StandardOutput.BaseStream);
        errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Standard input; the process sees its end when this is closed.</summary>
    internal Stream Input => process.StandardInput.BaseStream;

    internal bool HasExited => process.HasExited;

    /// <summary>What it has printed on standard output so far.</summary>
    internal string Shown
    {
        get
        {
            lock (shown)
                return Encoding.UTF8.GetString(shown.ToArray());
        }
    }

    internal void Signal(string name) =>
        Peer.Run("kill", "-s", name, process.Id.ToString(CultureInfo.InvariantCulture));

    /// <summary>Waits until something has happened, or the process has ended.</summary>
    internal void WaitUntil(Func<bool> happened)
    {
        var watch = Stopwatch.StartNew();
        while (!happened() && !process.HasExited)
        {
            Assert.True(watch.Elapsed < Longest, $"{what}: what was waited for did not happen");
            Thread.Sleep(5);
        }
    }

    /// <summary>Whether one of its threads waits in a function of the kernel's.</summary>
    internal bool WaitsIn(string function)
    {
        try
        {
            return Directory.EnumerateDirectories($"/proc/{process.Id.ToString(CultureInfo.InvariantCulture)}/task").Any(thread => File.ReadAllText(Path.Combine(thread, "wchan")) == function);
        }
        catch (IOException)
        {
            // A thread, or the process, has ended meanwhile.
            return false;
        }
    }

    internal CommandResult Wait(TimeSpan? longest = null)
    {
        process.StandardInput.Close();
        return WaitWithOpenInput(longest);
    }

    internal CommandResult WaitWithOpenInput(TimeSpan? longest = null)
    {
        if (!process.WaitForExit(longest ?? Longest))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{what} did not end within {longest ?? Longest}.");
        }

        var result = new CommandResult(what, process.ExitCode, output.GetAwaiter().GetResult(), errors.GetAwaiter().GetResult());
        Assert.DoesNotContain("Unhandled exception", result.Errors, StringComparison.Ordinal);
        return result;
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        process.Dispose();
    }

    private async Task<byte[]> ReadAsync(Stream stream)
    {
        var part = new byte[1 << 16];
        while (await stream.ReadAsync(part) is > 0 and var length)
        {
            lock (shown)
                shown.Write(part, 0, length);
        }

        return shown.ToArray();
    }
}
