using System.Diagnostics;
using System.Runtime.CompilerServices;
using Xunit;

namespace Evidence.Tests;

/// <summary>The README's samples are the programs that run here.</summary>
public sealed class ReadmeTests
{
    private static readonly string Root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));

    [Fact]
    public void The_library_sample_is_the_sample_program()
    {
        string program = File.ReadAllText(Path.Combine(Root, "tests", "Evidence.Sample", "Program.cs"));
        Assert.Contains($"```csharp\n{program}```", File.ReadAllText(Path.Combine(Root, "README.md")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sample_program_images_verifies_and_gives_back_the_sample_disk()
    {
        using var folder = new TemporaryFolder();
        string disk = Path.Combine(Root, "docs", "sample", "server.img");
        string copy = Path.Combine(folder.Path, "copy.img");
        string assembly = typeof(ReadmeTests).Assembly.Location.Replace("Evidence.Tests", "Evidence.Sample", StringComparison.Ordinal);
        var start = new ProcessStartInfo("dotnet", [assembly, disk, Path.Combine(folder.Path, "vault"), copy])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["EVIDENCE_HOME"] = Path.Combine(folder.Path, "home"), ["XDG_CACHE_HOME"] = Path.Combine(folder.Path, "cache") },
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(process.ExitCode == 0, await errors);
        Assert.Contains("storage-7: 8388608 bytes", output, StringComparison.Ordinal);
        Assert.Contains("content Verified, anchor None", output, StringComparison.Ordinal);
        Assert.Contains("as imaged: True", output, StringComparison.Ordinal);
        Assert.Equal(await File.ReadAllBytesAsync(disk, TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(copy, TestContext.Current.CancellationToken));
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
