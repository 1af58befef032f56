using Evidence.Tests.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Verification;

/// <summary>Files that are cut off, gone, or in each other's place.</summary>
public sealed class WholeFileTests
{
    /// <summary>What may be missing and is not missed: older partial tiles, of which the newer ones are continuations (docs/format/ledger.md).</summary>
    private static readonly string[] Superseded =
    [
        "ledger/tile/0/000.p/2", "ledger/tile/0/000.p/3", "ledger/tile/0/000.p/4",
        "ledger/tile/entries/000.p/2", "ledger/tile/entries/000.p/3", "ledger/tile/entries/000.p/4",
    ];

    [Fact]
    [Trait("Requirement", "OUT-1")]
    public async Task A_file_that_is_cut_off_is_found() => await EachFileAsync(async (vault, file, path) =>
    {
        byte[] bytes = await File.ReadAllBytesAsync(path, TestVault.Stop);
        foreach (int length in (int[])[0, 1, bytes.Length / 2, bytes.Length - 1])
        {
            TestVault.Overwrite(path, bytes[..length]);
            await AssertRefutedAsync(vault, file, $"cut to {length}");
        }

        TestVault.Overwrite(path, [.. bytes, 0]);
        await AssertRefutedAsync(vault, file, "a byte longer");
        TestVault.Overwrite(path, bytes);
    });

    [Fact]
    [Trait("Requirement", "OUT-1")]
    public async Task A_file_that_is_gone_is_found_unless_nothing_needs_it() => await EachFileAsync(async (vault, file, path) =>
    {
        string aside = vault.Place.At("aside");
        File.Move(path, aside);
        VerificationReport report = await vault.VerifyAsync();
        ContentVerdict expected = Superseded.Contains(file, StringComparer.Ordinal) ? ContentVerdict.Verified
            // What it is needed for, nobody can say who does not have it.
            : file.StartsWith("openings/", StringComparison.Ordinal) ? ContentVerdict.Unverifiable
            : ContentVerdict.Refuted;
        Assert.True(report.Content == expected, $"{file}, gone: {SmallVault.Describe(report)}");
        // A pack or a manifest that is gone is told by what misses it; the others by their names.
        if (expected != ContentVerdict.Verified && !file.StartsWith("packs/", StringComparison.Ordinal) && file != "ledger/checkpoint")
            Assert.True(Names(report, file, expected), $"{file}, gone: {SmallVault.Describe(report)}");
        File.Move(aside, path);
    });

    [Fact]
    [Trait("Requirement", "OUT-1")]
    public async Task A_file_in_the_place_of_another_is_found() => await EachFileAsync(async (vault, file, path) =>
    {
        byte[] bytes = await File.ReadAllBytesAsync(path, TestVault.Stop);
        foreach (string other in vault.Place.PublishedFiles().Where(f => string.CompareOrdinal(f, file) > 0))
        {
            string otherPath = Path.Combine(vault.Place.Folder, other);
            byte[] otherBytes = await File.ReadAllBytesAsync(otherPath, TestVault.Stop);
            TestVault.Overwrite(path, otherBytes);
            await AssertRefutedAsync(vault, file, $"replaced by {other}");
            TestVault.Overwrite(otherPath, bytes);
            await AssertRefutedAsync(vault, file, $"swapped with {other}");
            TestVault.Overwrite(path, bytes);
            await AssertRefutedAsync(vault, other, $"replaced by {file}");
            TestVault.Overwrite(otherPath, otherBytes);
        }
    });

    private static async Task EachFileAsync(Func<SmallVault, string, string, Task> act)
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string[] files = vault.Place.PublishedFiles();
        Assert.All(Superseded, file => Assert.True(files.Contains(file, StringComparer.Ordinal), file));
        foreach (string file in files)
            await act(vault, file, Path.Combine(vault.Place.Folder, file));
        Assert.Equal(ContentVerdict.Verified, (await vault.VerifyAsync()).Content);
    }

    private static async Task AssertRefutedAsync(SmallVault vault, string file, string what)
    {
        VerificationReport report = await vault.VerifyAsync();
        Assert.True(report.Content == ContentVerdict.Refuted && Names(report, file), $"{file}, {what}: {SmallVault.Describe(report)}");
    }

    private static bool Names(VerificationReport report, string file, ContentVerdict verdict = ContentVerdict.Refuted) =>
        SmallVault.FindingsOf(report).Any(f => f.Verdict == verdict && f.File == file);
}
