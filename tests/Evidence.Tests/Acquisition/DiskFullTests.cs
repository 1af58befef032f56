using System.Diagnostics;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Acquisition;

/// <summary>On a file system of its own, which is really full. Needs root and the right to mount; where CI says that it is one, it must be there.</summary>
public sealed class DiskFullTests : IDisposable
{
    private readonly TestVault place = new();
    private bool mounted;

    [Fact]
    [Trait("Requirement", "ACQ-6")]
    [Trait("Requirement", "OUT-6")]
    public async Task A_full_disk_is_said_to_be_full_and_nothing_acknowledged_is_lost()
    {
        Directory.CreateDirectory(place.Folder);
        mounted = await RunAsync("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place.Folder);
        if (!mounted)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", "This needs the right to mount a tmpfs.");
            Assert.Skip("No right to mount a tmpfs here.");
        }

        // A vault is made beside its place and renamed: on this file system it needs a folder of its own.
        string folder = Path.Combine(place.Folder, "v");
        byte[] small = TestBytes.Random(1_000_000, 1);
        var options = new VerificationOptions { Keys = place.Keys };
        using (Vault vault = place.Create(folder: folder))
        {
            await TestVault.AcquireAsync(vault, small, new() { Item = "small" });
            EvidenceException error = await Assert.ThrowsAsync<EvidenceException>(() => TestVault.AcquireAsync(vault, TestBytes.Random(20 << 20, 2)));
            Assert.Equal(ErrorCode.DiskFull, error.Code);
            Assert.Contains(folder, error.Message, StringComparison.Ordinal);
            // The store takes nothing more, and says why.
            Assert.Equal(ErrorCode.DiskFull, (await Assert.ThrowsAsync<EvidenceException>(() => TestVault.AcquireAsync(vault, [1]))).Code);
        }

        Assert.Equal(ContentVerdict.Verified, (await VaultVerifier.VerifyAsync(folder, options, cancellation: TestVault.Stop)).Content);
        using (var later = Vault.Open(folder, place.Access))
            await TestVault.AcquireAsync(later, small[..100_000], new() { Item = "after" });
        VerificationReport report = await VaultVerifier.VerifyAsync(folder, options, cancellation: TestVault.Stop);
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Equal(["small", "after"], report.Images.Select(i => i.Item).ToArray());
    }

    private static async Task<bool> RunAsync(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
            await process.WaitForExitAsync(CancellationToken.None);
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    public void Dispose()
    {
        if (mounted)
            RunAsync("umount", "-l", place.Folder).GetAwaiter().GetResult();
        place.Dispose();
    }
}
