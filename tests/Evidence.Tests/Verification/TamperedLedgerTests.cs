using System.Text;
using System.Text.Json.Nodes;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;
using Evidence.Tests.Ledger;
using Evidence.Tests.Ledger.Timestamping;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Verification;

/// <summary>
/// A ledger of 600 entries under the hands of somebody without its keys, and of its own keeper: each attack is named as what it is, to whom knows enough to tell.
/// </summary>
public sealed class TamperedLedgerTests : IDisposable
{
    private const string Origin = "vault.example/test";
    private const int Size = 600;

    private static readonly Instant Before = Instant.FromUtc(2026, 1, 1, 0, 0);

    private readonly TestVault place = new();
    private readonly TestAuthority authority = new();
    private readonly WitnessKey witness = WitnessKey.Create("witness.example/w");
    private readonly List<byte[]> entries;

    public TamperedLedgerTests()
    {
        place.Create().Dispose();
        using (ActorKey actor = place.Keys.LoadActor("examiner"))
        using (LogKeys log = place.Keys.LoadLog(Origin))
        {
            LedgerWriter.Open(new LedgerDirectory(place.Layout.Ledger), log, place.Keys, TestVault.Stop).Append(
                [
                    .. Enumerable.Range(2, Size - 2).Select(i => LedgerEntry.Create(
                        new EntryPayload(EntryKind.Note, Before, null, ["server-7"], new JsonObject { ["text"] = $"note {i}" }, actor.Id), actor).ToBytes()),
                ],
                TestVault.Stop);
        }

        using Vault vault = place.Open();
        entries = [.. vault.Ledger.Open().ReadEntries(0, Size)];
    }

    /// <summary>How somebody may know better than the vault.</summary>
    public enum Knows
    {
        /// <summary>They verified it here before.</summary>
        Seen,

        /// <summary>Witnesses cosigned it, and that lies beside it.</summary>
        Witnessed,

        /// <summary>It was time-stamped, and that lies beside it.</summary>
        Stamped,
    }

    [Fact]
    public async Task What_somebody_without_the_keys_changes_is_named_with_its_files()
    {
        (string Attack, Action<string> Change, (string File, string Words)[] Expected)[] attacks =
        [
            ("the tail cut off", folder => Delete(folder, "tile/entries/002.p/88", "tile/0/002.p/88"), [("tile/0/002.p/88", "missing"), ("tile/entries/002.p/88", "missing")]),
            ("the last entry cut off", folder => Rewrite(folder, 2, list => list.RemoveAt(87)), [("tile/entries/002.p/88", "malformed")]),
            ("an entry in the middle cut out", folder => Rewrite(folder, 1, list => list.RemoveAt(100)), [("tile/entries/001", "malformed")]),
            ("two swapped in a bundle", folder => Rewrite(folder, 1, list => (list[5], list[9]) = (list[9], list[5])),
                [("tile/entries/001", "Entry 261 is not the one that the tree holds: entry 265 stands in its place.")]),
            ("two swapped in the newest bundle", folder => Rewrite(folder, 2, list => (list[0], list[87]) = (list[87], list[0])),
                [("tile/entries/002.p/88", "Entry 512 is not the one that the tree holds: entry 599 stands in its place.")]),
            ("two swapped between bundles", folder =>
                {
                    Rewrite(folder, 0, list => list[7] = entries[300]);
                    Rewrite(folder, 1, list => list[44] = entries[7]);
                },
                [("tile/entries/000", "Entry 7 is not the one that the tree holds: entry 300 stands in its place."), ("tile/entries/001", "entry 7 stands in its place")]),
            ("one exchanged, and the tile made to fit", folder =>
                {
                    Rewrite(folder, 0, list => list[7] = entries[300]);
                    byte[] hash = Evidence.Hashing.MerkleTree.LeafHash(entries[300]).ToArray();
                    string tile = At(folder, "tile/0/000");
                    byte[] hashes = File.ReadAllBytes(tile);
                    hash.CopyTo(hashes, 7 * 32);
                    TestVault.Overwrite(tile, hashes);
                },
                [("tile/entries/000", "changed together"), ("tile/0/000", "changed together")]),
        ];
        foreach ((string attack, Action<string> change, (string File, string Words)[] expected) in attacks)
        {
            string folder = Copy(attack);
            change(folder);
            // Whoever never saw it finds as much.
            foreach (VerificationOptions options in (VerificationOptions[])[new() { Keys = place.Keys }, new()])
            {
                VerificationReport report = await VerifyAsync(folder, options);
                Finding[] refuting = [.. report.Ledger.Findings.Where(f => f.Verdict == ContentVerdict.Refuted)];
                string found = $"{attack}: {string.Join(" | ", refuting.Select(f => $"{f.File}: {f.Detail}"))}";
                Assert.True(refuting.Length == expected.Length, found);
                foreach ((string file, string words) in expected)
                    Assert.True(refuting.Any(f => f.File == $"ledger/{file}" && f.Detail.Contains(words, StringComparison.Ordinal)), found);
            }

            // What reads entries does not take it either.
            using Vault opened = Vault.Open(folder, new VaultAccess());
            Assert.Equal(ErrorCode.LedgerDamaged, Assert.Throws<EvidenceException>(() => opened.Ledger.Entries().Count()).Code);
        }
    }

    [Theory]
    [InlineData(Knows.Seen)]
    [InlineData(Knows.Witnessed)]
    [InlineData(Knows.Stamped)]
    public async Task What_the_keeper_makes_anew_is_named_to_whoever_knows_it_as_it_was(Knows knows)
    {
        string old = Copy("old");
        Bear(place.Folder, knows);
        Assert.Equal(ContentVerdict.Verified, (await VerifyAsync(place.Folder, Options(knows))).Content);
        (string Attack, string Folder, string Words)[] attacks =
        [
            ("the tail cut off, and signed", Forge("cut", list => list.RemoveRange(500, 100)), "set back"),
            ("an older copy", old, "set back"),
            ("two entries swapped, and signed", Forge("swapped", list => (list[100], list[101]) = (list[101], list[100])), "histor"),
            ("one left out, and signed", Forge("left out", list => list[300] = list[301]), "histor"),
            ("another history, and longer", Forge("longer", list => list.AddRange([.. list.Skip(2).Take(300)]), from: 400), "histor"),
        ];
        // The older copy is of before; by its own word it is in order.
        SetBack(old, 450);
        foreach ((string attack, string folder, string words) in attacks)
        {
            Bear(folder, knows, place.Folder);
            VerificationReport report = await VerifyAsync(folder, Options(knows));
            string found = $"{attack}: {string.Join(" | ", report.Ledger.Findings.Select(f => $"{f.Verdict} {f.File}: {f.Detail}"))}";
            Assert.True(report.Ledger.Content == ContentVerdict.Refuted, found);
            Assert.Contains(report.Ledger.Findings, f => f.Verdict == ContentVerdict.Refuted && f.Detail.Contains(words, StringComparison.Ordinal));
            Assert.True(report.Anchor == AnchorVerdict.None, found);
            // Who knows nothing of it cannot tell: that is what witnesses are for.
            Strip(folder);
            VerificationReport blind = await VerifyAsync(folder, new VerificationOptions());
            Assert.True(blind.Content == ContentVerdict.Verified, found);
        }
    }

    public void Dispose()
    {
        place.Dispose();
        authority.Dispose();
        witness.Dispose();
    }

    private static Task<VerificationReport> VerifyAsync(string folder, VerificationOptions options) => VaultVerifier.VerifyAsync(folder, options, cancellation: TestVault.Stop);

    private static string At(string folder, string file) => Path.Combine(folder, "ledger", file);

    private static void Delete(string folder, params string[] files)
    {
        foreach (string file in files)
            File.Delete(At(folder, file));
    }

    /// <summary>Writes a bundle of entries anew, changed.</summary>
    private static void Rewrite(string folder, int bundle, Action<List<byte[]>> change)
    {
        var tile = TileName.At(TileName.Entries, bundle, Size);
        string path = At(folder, tile.ToString());
        List<byte[]> list = [.. EntryBundle.Read(File.ReadAllBytes(path), tile.Width, out _).Select(e => e.ToArray())];
        change(list);
        var bytes = new List<byte>();
        list.ForEach(e => EntryBundle.Append(bytes, e));
        TestVault.Overwrite(path, [.. bytes]);
    }

    private string Copy(string name)
    {
        string folder = place.At(name);
        TestVault.Copy(place.Folder, folder);
        return folder;
    }

    /// <summary>The vault with a ledger that the keeper made anew, with the log's own keys.</summary>
    private string Forge(string name, Action<List<byte[]>> change, int from = Size)
    {
        string folder = Copy(name);
        List<byte[]> list = [.. entries.Take(from)];
        change(list);
        Write(folder, list);
        return folder;
    }

    private void SetBack(string folder, int size) => Write(folder, [.. entries.Take(size)]);

    private void Write(string folder, List<byte[]> list)
    {
        Directory.Delete(At(folder, ""), recursive: true);
        using LogKeys log = place.Keys.LoadLog(Origin);
        LedgerWriter.Open(new LedgerDirectory(At(folder, "")), log, new MemorySeen(), TestVault.Stop).Append(list, TestVault.Stop);
    }

    /// <summary>Puts beside a ledger what others say of it as it was.</summary>
    private void Bear(string folder, Knows knows, string? from = null)
    {
        byte[] note = File.ReadAllBytes(At(from ?? folder, "checkpoint"));
        var parsed = SignedNote.Parse(note);
        if (knows == Knows.Witnessed)
        {
            File.WriteAllBytes(At(folder, "witnessed"), SignedNote.Write(parsed.Text, [.. parsed.Signatures, witness.Cosign(parsed.Text, Before)]));
        }
        else if (knows == Knows.Stamped)
        {
            byte[] document = authority.Document(note, authority.Token(System.Security.Cryptography.SHA256.HashData(note))).Encode();
            Directory.CreateDirectory(At(folder, "timestamps"));
            File.WriteAllBytes(At(folder, TimestampDocument.NameOf(Evidence.Hashing.Sha256Digest.Compute(document))), document);
        }
    }

    private static void Strip(string folder)
    {
        File.Delete(At(folder, "witnessed"));
        if (Directory.Exists(At(folder, "timestamps")))
            Directory.Delete(At(folder, "timestamps"), recursive: true);
    }

    private VerificationOptions Options(Knows knows) => knows switch
    {
        Knows.Seen => new VerificationOptions { Keys = place.Keys },
        Knows.Witnessed => new VerificationOptions { Policy = WitnessPolicy.Parse(Encoding.UTF8.GetBytes($"witness W {witness.VerifierKey}\nquorum W\n")) },
        _ => new VerificationOptions { Trust = Trust() },
    };

    private TrustedAuthorities Trust()
    {
        string file = place.At("root.pem");
        File.WriteAllText(file, authority.Root.ExportCertificatePem());
        return TrustedAuthorities.Load([file]);
    }
}
