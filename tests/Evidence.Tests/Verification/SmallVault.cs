using System.Text.Json.Nodes;
using Evidence.Acquisition;
using Evidence.Ledger;
using Evidence.Sources;
using Evidence.Tests.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;

namespace Evidence.Tests.Verification;

/// <summary>
/// A small vault with something of everything: two images that share segments, content that compresses and content that does not, zeros, a fill, a hole,
/// a note, a document, a commitment. Copies of it, to be damaged, cost little.
/// </summary>
internal sealed class SmallVault : IAsyncDisposable
{
    private readonly TestVault place = new();

    /// <summary>Both images begin with this; it is in the pack of the first.</summary>
    public static byte[] Shared { get; } = [.. TestBytes.Random(12_000, 1), .. TestBytes.Text(20_000, 2)];

    public static byte[] FirstContent { get; } = [.. Shared, .. new byte[8192 + 288], .. TestBytes.Text(6000, 3)];

    public static byte[] SecondContent { get; } =
        [.. Shared, .. new byte[288], .. Enumerable.Repeat((byte)0xF6, 5000), .. TestBytes.Random(3000, 4), .. new byte[8192]];

    /// <summary>A document that the note names.</summary>
    public static byte[] Letter { get; } = TestBytes.Text(300, 5);

    public TestVault Place => place;

    public AcquisitionResult First { get; private set; } = null!;

    public AcquisitionResult Second { get; private set; } = null!;

    public static async Task<SmallVault> CreateAsync(byte[]? third = null, HashSet<long>? thirdBadSectors = null)
    {
        var small = new SmallVault();
        using Vault vault = small.place.Create(average: 16 << 10);
        small.First = await TestVault.AcquireAsync(vault, FirstContent, new AcquisitionOptions { Item = "first", Case = "case-1", Examiner = "A. Turing" });
        int hole = (SecondContent.Length - 8192 + 511) / 512 * 512;
        small.Second = await TestVault.AcquireAsync(vault, SecondContent, new AcquisitionOptions { Item = "second" },
            [new SourceExtent(0, hole, SourceExtentKind.Data), new SourceExtent(hole, SecondContent.Length - hole, SourceExtentKind.Hole)]);
        if (third is not null)
        {
            using var source = new FailingSource(third) { BadSectors = thirdBadSectors ?? [] };
            await new Acquirer(vault).AcquireAsync(source, new AcquisitionOptions { Item = "third" }, cancellation: TestVault.Stop);
        }

        using var letter = new MemoryStream(Letter);
        vault.Ledger.Record(EntryKind.Note, ["first"], "case-1", new JsonObject
        {
            ["text"] = "The disk was warm.",
            ["document"] = vault.Documents.Add(letter).ToString(),
            ["contact"] = vault.Openings.Commit(new JsonObject { ["email"] = "guest@example.net" }).ToString(),
        });
        return small;
    }

    public Task<VerificationReport> VerifyAsync(string? folder = null, VerificationOptions? options = null) => VaultVerifier.VerifyAsync(
        folder ?? place.Folder, options ?? new VerificationOptions { Keys = place.Keys }, cancellation: TestVault.Stop);

    /// <summary>Everything that a report says, wherever it says it.</summary>
    public static IEnumerable<Finding> FindingsOf(VerificationReport report) =>
        report.Findings.Concat(report.Ledger.Findings).Concat(report.Images.SelectMany(i => i.Findings));

    public static string Describe(VerificationReport report) =>
        $"{report.Content}: {string.Join(" | ", FindingsOf(report).Select(f => $"{f.Verdict} {f.What} {f.File}@{f.Offset}: {f.Detail}"))}";

    public ValueTask DisposeAsync()
    {
        place.Dispose();
        return ValueTask.CompletedTask;
    }
}
