using Evidence.Hashing;
using Evidence.Repair;
using Evidence.Segments;
using Evidence.Tests.Vaults;
using Evidence.Tests.Verification;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Repair;

public sealed class RepairerTests
{
    /// <summary>A byte of each kind in a pack: where it is, and whether the pack itself has enough to mend it.</summary>
    public static TheoryData<string, bool> BytesOfAPack => new()
    {
        { "header magic", true },
        { "header checksum", true },
        { "record id", true },
        { "record codec", true },
        { "record stored length", true },
        { "record content length", true },
        { "record zeros", true },
        { "record checksum", true },
        { "stored bytes", false },
        { "index id", true },
        { "index length", true },
        { "index offset", true },
        { "footer offset", true },
        { "footer count", true },
        { "footer name", true },
        { "footer magic", true },
    };

    [Theory]
    [MemberData(nameof(BytesOfAPack))]
    public async Task A_changed_byte_in_a_pack_is_mended(string what, bool byItself)
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        TestVault.Flip(vault.PathOf(vault.FirstPack), OffsetOf(vault, what), bit: 1);
        await vault.AssertRefutedAsync();
        RepairResult result = await vault.RepairAsync(byItself ? [] : [vault.FirstExport]);
        Assert.False(result.IsDamaged, Describe(result));
        Assert.Equal(byItself ? 0 : 1, result.Outcome.SegmentCount);
        Assert.Equal([.. result.Outcome.Packs.Select(p => $"packs/{p.Pack.ToString()[..2]}/{p.Pack}.pack")], (string[])[vault.FirstPack]);
        Assert.NotNull(result.Entry);
        await vault.AssertWholeAsync();
        // What was damaged is kept as it is, and told of.
        byte[] kept = await File.ReadAllBytesAsync(vault.PathOf("damaged/" + Path.GetFileName(vault.FirstPack)), TestVault.Stop);
        byte[] good = await File.ReadAllBytesAsync(Path.Combine(vault.Copy, vault.FirstPack), TestVault.Stop);
        good[OffsetOf(vault, what)] ^= 2;
        Assert.Equal(good, kept);
        Assert.Contains((await vault.Small.VerifyAsync()).Findings, f => f.What == "set-aside" && f.File == "damaged/" + Path.GetFileName(vault.FirstPack));
    }

    [Theory]
    [InlineData("vault")]
    [InlineData("images")]
    public async Task Stored_bytes_come_back_from_each_kind_of_copy(string kind)
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        foreach (string pack in (string[])[vault.FirstPack, vault.SecondPack])
        {
            foreach (PackEntry record in vault.Records(pack))
                TestVault.Flip(vault.PathOf(pack), record.Offset + PackFormat.RecordHeaderSize, bit: 3);
        }

        RepairResult result = await vault.RepairAsync(kind == "vault" ? [vault.Copy] : [vault.FirstExport, vault.SecondExport]);
        if (kind == "vault")
        {
            // Some bits of a compressed stream do not matter to its content: then the record is still good.
            Assert.Equal(
                vault.Records(vault.FirstPack).Length + vault.Records(vault.SecondPack).Length, result.Outcome.SegmentCount + result.Outcome.Packs.Sum(p => p.Copied));
            Assert.False(result.IsDamaged, Describe(result));
            Assert.Equal(2, result.Outcome.WholeAgain.Count);
            await vault.AssertWholeAsync();
        }
        else
        {
            // The second image has a hole, which its export has no more: its map cannot be made anew. The first one's can.
            Assert.Equal([vault.Small.First.Image], result.Outcome.WholeAgain);
            Assert.Equal([vault.Small.Second.Image], result.Outcome.StillDamaged);
            Assert.False((await vault.RepairAsync(vault.Copy)).IsDamaged);
            await vault.AssertWholeAsync();
        }
    }

    [Fact]
    public async Task A_pack_that_is_cut_off_anywhere_or_gone_is_made_anew()
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        Dictionary<string, byte[]> good = vault.Snapshot();
        PackEntry[] records = vault.Records(vault.FirstPack);
        byte[] pack = good[vault.FirstPack];
        foreach (int length in (int[])[0, 1, 63, 64, 100, (int)records[1].Offset, (int)records[1].Offset + 40, (int)records[^1].Offset + 70, pack.Length - 100, pack.Length - 1])
        {
            TestVault.Overwrite(vault.PathOf(vault.FirstPack), pack[..length]);
            int left = records.Count(r => r.Offset + PackFormat.RecordHeaderSize + r.Header.StoredLength <= length);
            RepairResult result = await vault.RepairAsync(vault.Copy);
            Assert.False(result.IsDamaged, $"cut to {length}: {Describe(result)}");
            Assert.Equal(left, Assert.Single(result.Outcome.Packs).Records);
            Assert.Equal(records.Length - left, result.Outcome.SegmentCount);
            await vault.AssertWholeAsync();
            Restore(vault, good);
        }

        File.Delete(vault.PathOf(vault.FirstPack));
        RepairResult gone = await vault.RepairAsync(vault.Copy);
        Assert.False(gone.IsDamaged, Describe(gone));
        Assert.Empty(gone.Outcome.Packs);
        Assert.Equal(records.Length, gone.Outcome.SegmentCount);
        await vault.AssertWholeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Everything_of_a_vault_but_its_ledger_comes_back(bool fromImage)
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        Directory.Delete(vault.PathOf("packs"), recursive: true);
        if (!fromImage)
            Directory.Delete(vault.PathOf("images"), recursive: true);
        RepairResult result = await vault.RepairAsync(fromImage ? [vault.FirstExport] : [vault.Copy]);
        if (!fromImage)
        {
            Assert.False(result.IsDamaged, Describe(result));
            Assert.Equal(2, result.Outcome.Manifests.Count);
            await vault.AssertWholeAsync();
            return;
        }

        // From the raw bytes: pages and tables of the map are made anew.
        Assert.Equal([vault.Small.First.Image], result.Outcome.WholeAgain);
        using Vault opened = vault.Place.Open();
        Assert.Equal(SmallVault.FirstContent, await TestVault.ExportAsync(opened, vault.Small.First));
    }

    [Theory]
    [InlineData("gone")]
    [InlineData("changed")]
    [InlineData("a link")]
    public async Task A_manifest_comes_back_from_another_vault(string how)
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        string manifest = vault.Place.Layout.Manifest(vault.Small.First.Image);
        byte[] good = await File.ReadAllBytesAsync(manifest, TestVault.Stop);
        if (how == "changed")
        {
            TestVault.Flip(manifest, 20);
        }
        else
        {
            File.Delete(manifest);
            if (how == "a link")
                File.CreateSymbolicLink(manifest, Path.Combine(vault.Copy, "images", Path.GetFileName(manifest)));
        }

        await vault.AssertRefutedAsync();
        RepairResult without = await vault.RepairAsync();
        Assert.Equal(SmallVault.FirstContent.Length, Assert.Single(without.Missing).Length);
        Assert.Null(without.Entry);
        RepairResult result = await vault.RepairAsync(vault.Copy);
        Assert.False(result.IsDamaged, Describe(result));
        Assert.Equal([vault.Small.First.Image], result.Outcome.Manifests);
        Assert.Equal([vault.Small.First.Image], result.Outcome.WholeAgain);
        Assert.Equal(good, await File.ReadAllBytesAsync(manifest, TestVault.Stop));
        Assert.Equal(how != "gone", vault.Place.PublishedFiles().Any(f => f.StartsWith("damaged/", StringComparison.Ordinal)));
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task What_lies_is_refused_and_nothing_of_it_is_stored()
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        Sha256Digest begin = vault.FirstSegment();
        PackEntry segment = vault.Records(vault.FirstPack).Single(r => r.Header.Id == begin);
        TestVault.Flip(vault.PathOf(vault.FirstPack), segment.Offset + PackFormat.RecordHeaderSize + 5);
        string lie = vault.Place.At("lie.img");
        await File.WriteAllBytesAsync(lie, TestBytes.Random(SmallVault.FirstContent.Length, 99), TestVault.Stop);
        string liar = vault.Place.At("liar");
        TestVault.Copy(vault.Copy, liar);
        TestVault.Flip(Path.Combine(liar, vault.FirstPack), segment.Offset + PackFormat.RecordHeaderSize + 7);
        RepairResult result = await vault.RepairAsync(lie, liar);
        Assert.True(result.IsDamaged);
        Assert.Equal(0, result.Outcome.SegmentCount);
        Assert.All(result.Outcome.Origins.Where(o => o.Name == lie || o.Name == liar), o => Assert.True(o is { Refused: > 0, Segments: 0 }, o.ToString()));
        // Both images begin with it.
        Assert.Equal([0L, 0L], result.Missing.Select(m => m.Offset));
        Assert.All(result.Missing, m => Assert.Equal(segment.Header.Id, m.Segment));
        HashSet<Sha256Digest> known = [.. vault.Records(vault.FirstPack).Concat(vault.Records(vault.SecondPack)).Select(e => e.Header.Id)];
        Assert.All(
            vault.Place.PublishedFiles().SelectMany(f => f.StartsWith("packs/", StringComparison.Ordinal) ? PackMap.Read(vault.Place.Folder, f) : []),
            e => Assert.Contains(e.Header.Id, known));
        await vault.AssertRefutedAsync();
        // What is missing stays in the file that was set aside, and comes back from elsewhere later.
        Assert.False((await vault.RepairAsync(lie, vault.SecondExport)).IsDamaged);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task Two_copies_that_are_damaged_in_different_places_complete_each_other()
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        string other = vault.Place.At("other");
        TestVault.Copy(vault.Copy, other);
        int number = 0;
        foreach (string pack in (string[])[vault.FirstPack, vault.SecondPack])
        {
            foreach (PackEntry record in vault.Records(pack))
                TestVault.Flip(Path.Combine(number++ % 2 == 0 ? vault.Place.Folder : other, pack), record.Offset + PackFormat.RecordHeaderSize + 2);
            // And the other's indexes cannot be read either.
            TestVault.Flip(Path.Combine(other, pack), new FileInfo(Path.Combine(other, pack)).Length - 20);
        }

        RepairResult result = await vault.RepairAsync(other);
        Assert.False(result.IsDamaged, Describe(result));
        Assert.Equal((number + 1) / 2, result.Outcome.SegmentCount);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task What_was_set_aside_serves_later_repairs()
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        byte[] good = await File.ReadAllBytesAsync(vault.PathOf(vault.FirstPack), TestVault.Stop);
        // Set aside while the medium gave nothing of it; later it does.
        TestVault.Overwrite(vault.PathOf(vault.FirstPack), new byte[good.Length]);
        Assert.True((await vault.RepairAsync()).IsDamaged);
        TestVault.Overwrite(vault.PathOf("damaged/" + Path.GetFileName(vault.FirstPack)), good);
        RepairResult result = await vault.RepairAsync();
        Assert.False(result.IsDamaged, Describe(result));
        Assert.Equal("set-aside", Assert.Single(result.Outcome.Origins).Kind);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task A_dry_run_says_what_would_come_back_and_writes_nothing()
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        TestVault.Flip(vault.PathOf(vault.FirstPack), vault.Records(vault.FirstPack)[0].Offset + 70);
        TestVault.Flip(vault.PathOf(vault.FirstPack), vault.Records(vault.FirstPack)[^1].Offset + 10);
        File.Delete(vault.PathOf(vault.SecondPack));
        File.Delete(vault.Place.Layout.Manifest(vault.Small.Second.Image));
        Dictionary<string, byte[]> before = vault.Snapshot();
        RepairResult would = await vault.RepairAsync(new RepairOptions { From = [vault.Copy], DryRun = true });
        Assert.Equal(before, vault.Snapshot());
        Assert.Null(would.Entry);
        RepairResult did = await vault.RepairAsync(vault.Copy);
        Assert.False(did.IsDamaged, Describe(did));
        Assert.Equal(did.Outcome.Segments, would.Outcome.Segments);
        Assert.Equal(did.Outcome.SegmentDigest, would.Outcome.SegmentDigest);
        Assert.Equal(did.Outcome.Packs, would.Outcome.Packs);
        Assert.Equal(did.Outcome.Manifests, would.Outcome.Manifests);
        Assert.Equal(did.Outcome.WholeAgain, would.Outcome.WholeAgain);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task A_vault_without_damage_is_left_alone()
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        Dictionary<string, byte[]> before = vault.Snapshot();
        RepairResult result = await vault.RepairAsync(vault.Copy, vault.FirstExport);
        Assert.False(result.HasChanged);
        Assert.False(result.IsDamaged);
        Assert.Equal(before, vault.Snapshot());
    }

    [Fact]
    public async Task Only_the_named_images_are_gone_through()
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        File.Delete(vault.PathOf(vault.SecondPack));
        Assert.False((await vault.RepairAsync(new RepairOptions { Images = ["first"] })).IsDamaged);
        Assert.True((await vault.RepairAsync(new RepairOptions { Images = ["second"] })).IsDamaged);
        Assert.False((await vault.RepairAsync(new RepairOptions { Images = ["second"], From = [vault.Copy] })).IsDamaged);
        await vault.AssertWholeAsync();
    }

    [Fact]
    public async Task The_ledger_says_what_was_done()
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        PackEntry[] records = vault.Records(vault.FirstPack);
        TestVault.Flip(vault.PathOf(vault.FirstPack), records[0].Offset + 70);
        TestVault.Flip(vault.PathOf(vault.FirstPack), records[1].Offset + 70);
        await vault.RepairAsync(vault.Copy);
        var body = Assert.Single(vault.Entries());
        Sha256Digest[] ids = [.. records[..2].Select(r => r.Header.Id).Order()];
        Assert.Equal("2", (string?)body["segments"]!["count"]);
        Assert.Equal(records[..2].Sum(r => r.Header.ContentLength).ToString(null, null), (string?)body["segments"]!["bytes"]);
        Assert.Equal(Sha256Digest.Compute([.. ids.SelectMany(i => i.ToArray())]).ToString(), (string?)body["segments"]!["digest"]);
        Assert.Equal([.. ids.Select(i => i.ToString())], body["segments"]!["first"]!.AsArray().Select(n => (string)n!).Order(StringComparer.Ordinal).ToArray());
        Assert.Equal(vault.Copy, (string?)body["from"]![0]!["name"]);
        Assert.Equal(Path.GetFileNameWithoutExtension(vault.FirstPack), (string?)body["setAside"]![0]!["pack"]);
        Assert.Equal((records.Length - 2).ToString(null, null), (string?)body["setAside"]![0]!["copied"]);
        Assert.Equal("2", (string?)body["wholeAgainCount"]);
        Assert.Equal("0", (string?)body["missingBytes"]);
    }

    [Fact]
    public async Task The_vault_that_was_repaired_goes_on_being_used()
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        using Vault open = vault.Place.Open();
        using Vault bystander = vault.Place.Open();
        Assert.Equal(SmallVault.FirstContent, await TestVault.ExportAsync(open, vault.Small.First));
        Assert.Equal(SmallVault.FirstContent, await TestVault.ExportAsync(bystander, vault.Small.First));
        TestVault.Flip(vault.PathOf(vault.FirstPack), vault.Records(vault.FirstPack)[0].Offset + 70);
        Assert.False((await new Repairer(open).RepairAsync(new RepairOptions { From = [vault.Copy] }, cancellation: TestVault.Stop)).IsDamaged);
        Assert.Equal(SmallVault.FirstContent, await TestVault.ExportAsync(open, vault.Small.First));
        Assert.Equal(SmallVault.FirstContent, await TestVault.ExportAsync(bystander, vault.Small.First));
        foreach (Vault each in (Vault[])[open, bystander])
            Assert.True((await TestVault.AcquireAsync(each, SmallVault.FirstContent)).Verified);
        await vault.AssertWholeAsync();
    }

    /// <summary>However many bytes change wherever they are, what a good copy has comes back.</summary>
    [Fact]
    public async Task Any_damage_to_packs_is_mended_from_a_good_copy()
    {
        await using DamagedVault vault = await DamagedVault.CreateAsync();
        Dictionary<string, byte[]> good = vault.Snapshot();
        for (int seed = 0; seed < 12; seed++)
        {
            var random = new Random(seed);
            foreach (string pack in (string[])[vault.FirstPack, vault.SecondPack])
            {
                byte[] bytes = [.. good[pack]];
                for (int i = random.Next(0, 40); i > 0; i--)
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                if (random.Next(4) == 0)
                    bytes.AsSpan(random.Next(bytes.Length)).Clear();
                TestVault.Overwrite(vault.PathOf(pack), random.Next(5) == 0 ? bytes[..random.Next(bytes.Length)] : bytes);
            }

            RepairResult result = await vault.RepairAsync(vault.Copy);
            Assert.False(result.IsDamaged, $"seed {seed}: {Describe(result)}");
            await vault.AssertWholeAsync();
            Restore(vault, good);
        }
    }

    private static long OffsetOf(DamagedVault vault, string what)
    {
        PackEntry[] records = vault.Records(vault.FirstPack);
        long length = new FileInfo(Path.Combine(vault.Copy, vault.FirstPack)).Length;
        long index = records[^1].Offset + PackFormat.RecordHeaderSize + records[^1].Header.StoredLength;
        long record = records[records.Length / 2].Offset;
        return what switch
        {
            "header magic" => 2,
            "header checksum" => 50,
            "record id" => record + 3,
            "record codec" => record + 32,
            "record stored length" => record + 36,
            "record content length" => record + 41,
            "record zeros" => record + 45,
            "record checksum" => record + 55,
            "stored bytes" => records[0].Offset + PackFormat.RecordHeaderSize + 9,
            "index id" => index + PackFormat.IndexEntrySize + 5,
            "index length" => index + PackFormat.IndexEntrySize + 37,
            "index offset" => index + PackFormat.IndexEntrySize + 65,
            "footer offset" => length - 64,
            "footer count" => length - 56,
            "footer name" => length - 40,
            "footer magic" => length - 1,
            _ => throw new ArgumentOutOfRangeException(nameof(what)),
        };
    }

    private static void Restore(DamagedVault vault, Dictionary<string, byte[]> files)
    {
        // The ledger goes on; only content is set back.
        foreach (string folder in (string[])["packs", "damaged"])
        {
            if (Directory.Exists(vault.PathOf(folder)))
                Directory.Delete(vault.PathOf(folder), recursive: true);
        }

        foreach ((string name, byte[] bytes) in files.Where(f => f.Key.StartsWith("packs/", StringComparison.Ordinal)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(vault.PathOf(name))!);
            File.WriteAllBytes(vault.PathOf(name), bytes);
        }
    }

    internal static string Describe(RepairResult result) =>
        $"{result.Outcome} missing {string.Join(" | ", result.Missing)}";
}
