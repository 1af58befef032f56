using System.Security.Cryptography;
using System.Text;
using Evidence.Formats;
using Evidence.Interop.Tests.Harness;
using Evidence.Ledger;
using Evidence.Vaults;
using Evidence.Verification;

namespace Evidence.Interop.Tests.Crashes;

/// <summary>
/// A place where the command is run again and again from one of a few beginnings: a vault, keys and sources, put back as they were before each run.
/// </summary>
internal sealed class Slot : IDisposable
{
    private readonly EvidenceCommand evidence = new();
    private readonly List<(string From, string To)> beginning = [];

    internal Slot()
    {
        // No cache: it can be lost at any time, and proves nothing.
        evidence.Environment["EVIDENCE_ACTOR"] = Actor;
        File.WriteAllBytes(evidence.PathOf("first.img"), First);
        File.WriteAllBytes(evidence.PathOf("second.img"), Second);
        evidence.Json("acquire", evidence.PathOf("first.img"), "--item", "first").Succeeds();
        Directory.Move(evidence.Vault, Keep("vault"));
        Directory.Move(evidence.Home, Keep("home"));
    }

    internal const string Actor = "examiner";

    /// <summary>Data that compresses and data that does not, between zeros; a few segments.</summary>
    internal static byte[] First { get; } =
        [.. Bytes(120_000, 1), .. new byte[40_000], .. Encoding.ASCII.GetBytes(string.Join('\n', Enumerable.Range(0, 9_000))), .. new byte[700]];

    /// <summary>Begins like the first, and goes on otherwise.</summary>
    internal static byte[] Second { get; } = [.. First.AsSpan(0, 150_016), .. Bytes(90_000, 2)];

    internal EvidenceCommand Evidence => evidence;

    /// <summary>Puts everything back: a vault with the first image in it, and its keys, or nothing.</summary>
    internal void Begin(bool withVault)
    {
        foreach (string path in Directory.EnumerateFileSystemEntries(evidence.Folder).Where(p => !beginning.Any(b => b.From == p)))
        {
            if (Directory.Exists(path))
                Directory.Delete(path, recursive: true);
            else if (!path.EndsWith(".img", StringComparison.Ordinal) || path.EndsWith("export.img", StringComparison.Ordinal) || path.Contains(".img.", StringComparison.Ordinal))
                File.Delete(path);
        }

        Directory.CreateDirectory(evidence.Temporary);
        if (!withVault)
            return;
        foreach ((string from, string to) in beginning)
            Copy(from, to);
        // A copied vault is another one, and is told from it by this.
        foreach (string place in Directory.GetFiles(evidence.Home, "place", SearchOption.AllDirectories))
            File.WriteAllText(place, LedgerPlace.Of(evidence.Vault).ToText());
    }

    internal KeyStore Keys => new(evidence.Home);

    internal Vault OpenVault() => Vault.Open(evidence.Vault, new VaultAccess { Keys = Keys, Actor = Actor });

    internal Task<VerificationReport> VerifyAsync() => VaultVerifier.VerifyAsync(evidence.Vault, new VerificationOptions { Keys = Keys, Digests = true });

    /// <summary>Everything that a report says, wherever it says it.</summary>
    internal static string Describe(VerificationReport report) =>
        $"{report.Content}: " + string.Join(" | ", report.Findings.Concat(report.Ledger.Findings).Concat(report.Images.SelectMany(i => i.Findings))
            .Select(f => $"{f.Verdict} {f.What} {f.File}@{f.Offset}: {f.Detail}"));

    internal static async Task<byte[]> ExportAsync(Vault vault, ImageRecord image)
    {
        using var output = new MemoryStream();
        await RawExport.WriteAsync(vault.OpenImage(image), output);
        return output.ToArray();
    }

    public void Dispose() => evidence.Dispose();

    private string Keep(string name)
    {
        string kept = evidence.PathOf($"{name}.kept");
        beginning.Add((kept, evidence.PathOf(name)));
        return kept;
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    private static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        for (int at = 0; at < count; at += SHA256.HashSizeInBytes)
            SHA256.HashData(BitConverter.GetBytes(seed * 1_000_003 + at)).AsSpan(0, Math.Min(SHA256.HashSizeInBytes, count - at)).CopyTo(bytes.AsSpan(at));
        return bytes;
    }
}
