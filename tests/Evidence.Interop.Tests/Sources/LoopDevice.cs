using System.Diagnostics;
using Xunit;

namespace Evidence.Interop.Tests.Sources;

/// <summary>A real block device over a file, and whatever else needs root; all of it is undone on disposal.</summary>
internal sealed class LoopDevice : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("evidence-loop-");
    private readonly List<string> mountPoints = [];

    public LoopDevice(ReadOnlySpan<byte> content, params string[] options)
    {
        try
        {
            BackingFile = Path.Combine(directory.FullName, "disk.img");
            File.WriteAllBytes(BackingFile, content);
            Node = Run("losetup", ["--find", "--show", .. options, BackingFile]).Trim();
        }
        catch
        {
            directory.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>The file behind the device.</summary>
    public string BackingFile { get; }

    /// <summary>The device's node.</summary>
    public string Node { get; }

    /// <summary>The kernel's name for the device.</summary>
    public string KernelName => Path.GetFileName(Node);

    /// <summary>Skips the test where loop devices cannot be had; in CI they must be.</summary>
    public static void Require()
    {
        string? lacking = !Environment.IsPrivilegedProcess ? "Loop devices need root."
            : !File.Exists("/usr/sbin/losetup") && !File.Exists("/sbin/losetup") ? "There is no losetup."
            : !File.Exists("/dev/loop-control") ? "The kernel offers no loop devices."
            : null;
        if (lacking is null)
            return;
        if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.Ordinal))
            Assert.Fail(lacking);
        Assert.Skip(lacking);
    }

    /// <summary>Mounts the device, or a partition of it.</summary>
    public string Mount(string node, params string[] options)
    {
        string mountPoint = directory.CreateSubdirectory($"mounted here {mountPoints.Count}").FullName;
        Run("mount", [.. options, node, mountPoint]);
        mountPoints.Add(mountPoint);
        return mountPoint;
    }

    public static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {errors.GetAwaiter().GetResult()}");
        return output;
    }

    public void Dispose()
    {
        try
        {
            foreach (string mountPoint in mountPoints)
                Run("umount", mountPoint);
        }
        finally
        {
            Run("losetup", "--detach", Node);
            directory.Delete(recursive: true);
        }
    }
}
