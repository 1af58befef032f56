using System.Text;
using System.Text.Json.Nodes;
using Evidence.Acquisition;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Tests.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Acquisition;

/// <summary>A run that was killed, wherever that was, is gone on with; and whatever became of its journal since, the image is of the source.</summary>
[Trait("Requirement", "ACQ-7")]
public sealed class JournalTests : IDisposable
{
    private const int Page = (int)SegmentParameters.PageSize;
    private const int WholePages = 2;

    private static readonly byte[] Content = MakeContent();
    private static readonly AcquisitionOptions Options = new() { Item = "disk", Digests = [DigestAlgorithm.Sha256] };

    private readonly TestVault place = new();

    [Fact]
    public async Task ACQ_7_a_run_that_was_interrupted_is_gone_on_with_and_gives_what_an_unbroken_one_gives()
    {
        using Vault vault = place.Create();
        await InterruptAsync(vault);
        using var source = new FailingSource(Content);
        AcquisitionResult resumed = await AcquireAsync(vault, source);
        Assert.Equal([0, WholePages * Page], resumed.Manifest.Runs.Select(r => r.Held));
        Assert.Equal(Content, await TestVault.ExportAsync(vault, resumed));
        // What is held is read again only at a few places, to see that it is the same disk.
        Assert.True(source.Requests.Sum(r => r.Length) < Content.Length - Page, $"{source.Requests.Sum(r => r.Length)} bytes were read.");

        AcquisitionResult unbroken = await AcquireAsync(vault, new FailingSource(Content));
        Assert.Single(unbroken.Manifest.Runs);
        Assert.Equal((unbroken.Manifest.Root, unbroken.Segments), (resumed.Manifest.Root, resumed.Segments));
        Assert.Equal(unbroken.Manifest.Digests, resumed.Manifest.Digests);
        Assert.Empty(Journals());
    }

    [Fact]
    public async Task ACQ_7_a_run_killed_between_its_manifest_and_the_ledger_entry_is_finished_with_the_same_image()
    {
        place.Create().Dispose();
        using (Vault killed = Open(() => throw new InvalidOperationException("killed")))
            await Assert.ThrowsAsync<InvalidOperationException>(() => AcquireAsync(killed, new FailingSource(Content)));
        string manifest = Path.GetFileNameWithoutExtension(Assert.Single(Directory.GetFiles(place.Layout.Images)));

        using Vault vault = place.Open();
        Assert.Empty(vault.Images());
        using var source = new FailingSource(Content);
        AcquisitionResult finished = await AcquireAsync(vault, source);
        Assert.Equal(manifest, finished.Image.ToString());
        Assert.Empty(source.Requests);
        Assert.Equal(finished.Image, Assert.Single(vault.Images()).Image);
        Assert.Single(Directory.GetFiles(place.Layout.Images));
        Assert.Equal(Content, await TestVault.ExportAsync(vault, finished));
        Assert.Empty(Journals());
        Assert.Equal(ContentVerdict.Verified, (await place.VerifyAsync()).Content);

        // The next is a new image: nothing is left to be finished.
        AcquisitionResult next = await AcquireAsync(vault, source);
        Assert.NotEqual(finished.Image, next.Image);
        Assert.Equal(next.Segments, finished.Segments);
    }

    [Fact]
    public async Task ACQ_7_a_run_killed_between_its_ledger_entry_and_the_removal_of_the_journal_is_recorded_once()
    {
        place.Create().Dispose();
        AcquisitionResult first;
        using (Vault killed = Open(KeepJournal))
            first = await AcquireAsync(killed, new FailingSource(Content));
        PutJournalBack();

        using Vault vault = place.Open();
        int size = vault.Ledger.Entries().Count();
        using var source = new FailingSource(Content);
        AcquisitionResult again = await AcquireAsync(vault, source);
        Assert.Equal((first.Image, first.Entry, first.Segments, first.Verified), (again.Image, again.Entry, again.Segments, again.Verified));
        Assert.Empty(source.Requests);
        Assert.Equal(size, vault.Ledger.Entries().Count());
        Assert.Single(vault.Images());
        Assert.Empty(Journals());
    }

    [Theory]
    [InlineData("digest")]
    [InlineData("read back")]
    [InlineData("manifest")]
    public async Task ACQ_7_an_image_that_is_not_what_is_asked_for_now_is_made_anew_from_what_is_held(string lacking)
    {
        place.Create().Dispose();
        AcquisitionOptions before = lacking switch
        {
            "digest" => Options with { Digests = [DigestAlgorithm.Md5] },
            "read back" => Options with { SkipReadBack = true },
            _ => Options,
        };
        using (Vault killed = Open(() => throw new InvalidOperationException("killed")))
            await Assert.ThrowsAsync<InvalidOperationException>(() => new Acquirer(killed).AcquireAsync(new FailingSource(Content), before, cancellation: TestVault.Stop));
        if (lacking == "manifest")
            TestVault.Flip(Directory.GetFiles(place.Layout.Images)[0], 20);

        using Vault vault = place.Open();
        AcquisitionResult again = await AcquireAsync(vault, new FailingSource(Content));
        Assert.Equal(Content.Length, again.Manifest.Runs[^1].Held);
        Assert.Equal([DigestAlgorithm.Sha256], again.Manifest.Digests.Select(d => d.Algorithm));
        Assert.True(again.Verified);
        Assert.Equal(Content, await TestVault.ExportAsync(vault, again));
        Assert.Equal(again.Image, Assert.Single(vault.Images()).Image);
    }

    /// <summary>Whatever line a byte is wrong in, it and all that follow say nothing, and what they said is read again.</summary>
    [Fact]
    public async Task ACQ_7_a_wrong_byte_in_the_journal_costs_time_and_nothing_else()
    {
        using Vault vault = place.Create();
        string path = await InterruptAsync(vault);
        byte[] journal = await File.ReadAllBytesAsync(path, TestVault.Stop);
        var random = new Random(7);
        int pages = 0;
        int lines = 0;
        for (int start = 0; start < journal.Length; lines++)
        {
            int end = Array.IndexOf(journal, (byte)'\n', start);
            int[] places = [start + random.Next(32), start + 32, random.Next(start + 33, end), end];
            // Each line, and of the places in it another one each time.
            byte[] damaged = [.. journal];
            damaged[places[lines % places.Length]] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(path, damaged, TestVault.Stop);

            AcquisitionResult result = await AcquireAsync(vault, new FailingSource(Content));
            Assert.Equal((long)pages * Page, result.Manifest.Runs[^1].Held);
            Assert.Equal(Content, await TestVault.ExportAsync(vault, result));
            // Without its first line nothing says whose it is.
            Assert.Equal(lines == 0 ? [path] : [], Journals());
            pages += Encoding.UTF8.GetString(journal, start, end - start).Contains("\"page\"", StringComparison.Ordinal) ? 1 : 0;
            start = end + 1;
        }

        Assert.Equal((WholePages, WholePages + 2), (pages, lines));
    }

    /// <summary>Who may write to the vault, but has not the keys, cannot have the image made of other bytes than the source's.</summary>
    [Theory]
    [InlineData("pages exchanged")]
    [InlineData("a page's number changed")]
    [InlineData("a line left out")]
    [InlineData("a line given twice")]
    [InlineData("lines of another journal")]
    public async Task ACQ_7_a_forged_journal_ends_where_it_was_forged(string forgery)
    {
        using Vault vault = place.Create();
        string path = await InterruptAsync(vault);
        string[] lines = await File.ReadAllLinesAsync(path, TestVault.Stop);
        Assert.Equal(WholePages + 2, lines.Length);
        int held = 1;
        switch (forgery)
        {
            case "pages exchanged":
                string text = lines[2][33..];
                (lines[2], lines[3], held) = (lines[2][..33] + lines[3][33..], lines[3][..33] + text, 0);
                break;
            case "a page's number changed":
                lines[3] = lines[3].Replace("\"page\":\"1\"", "\"page\":\"0\"", StringComparison.Ordinal);
                break;
            case "a line left out":
                (lines, held) = ([.. lines[..2], .. lines[3..]], 0);
                break;
            case "a line given twice":
                lines = [.. lines[..3], .. lines[2..]];
                break;
            default:
                string other = await InterruptAsync(vault, new byte[Content.Length]);
                lines = [.. lines[..3], (await File.ReadAllLinesAsync(other, TestVault.Stop))[3]];
                File.Delete(other);
                break;
        }

        await File.WriteAllTextAsync(path, string.Concat(lines.Select(l => l + "\n")), TestVault.Stop);
        AcquisitionResult result = await AcquireAsync(vault, new FailingSource(Content));
        Assert.Equal((long)held * Page, result.Manifest.Runs[^1].Held);
        Assert.Equal(Content, await TestVault.ExportAsync(vault, result));
    }

    /// <summary>What right codes vouch for may still be nonsense, of a later version of this program: it says nothing then.</summary>
    [Theory]
    [InlineData("""{"page":"3","id":"0000000000000000000000000000000000000000000000000000000000000000"}""")]
    [InlineData("""{"page":"-1","id":"0000000000000000000000000000000000000000000000000000000000000000"}""")]
    [InlineData("""{"page":"2","id":"00"}""")]
    [InlineData("""{"piece":"67108863","length":"2","id":"0000000000000000000000000000000000000000000000000000000000000000"}""")]
    [InlineData("""{"piece":"143655612","length":"1","id":"0000000000000000000000000000000000000000000000000000000000000000"}""")]
    [InlineData("""{"piece":"0","length":"0","id":"0000000000000000000000000000000000000000000000000000000000000000"}""")]
    [InlineData("""{"failed":"143654911","length":"9223372036854775807","status":"-","reason":"EIO"}""")]
    [InlineData("""{"failed":"0","length":"512","status":"x","reason":"EIO"}""")]
    [InlineData("""{"failed":"0","length":"512","status":"--","reason":"EIO"}""")]
    [InlineData("""{"run":{"started":"yesterday","held":"0"}}""")]
    [InlineData("""{"run":7}""")]
    [InlineData("""{"image":"0000000000000000000000000000000000000000000000000000000000000000","verified":"yes"}""")]
    [InlineData("""{"blame":"nobody"}""")]
    public void ACQ_7_a_line_that_cannot_be_of_the_source_ends_the_journal(string line)
    {
        using Vault vault = place.Create();
        byte[] key = vault.Ledger.JournalKey();
        JsonObject subject = JournalSubject.Encode(new FailingSource(Content).Identity, "disk", Options);
        AcquisitionJournal OpenJournal() => AcquisitionJournal.Open(place.Layout, key, subject, resume: true, NullLogger.Instance);
        using (AcquisitionJournal journal = OpenJournal())
            journal.Keep([(1L, Sha256Digest.Compute(Content))]);
        string path = Assert.Single(Journals());
        long length = new FileInfo(path).Length;
        using (var file = new JournalFile(path, key))
        {
            file.Read(_ => true);
            file.Append([(JsonObject)JsonNode.Parse(line)!, new JsonObject { ["page"] = "0", ["id"] = Sha256Digest.Compute([]).ToString() }]);
        }

        Assert.True(new FileInfo(path).Length > length);
        using AcquisitionJournal again = OpenJournal();
        Assert.Equal([(1L, Sha256Digest.Compute(Content))], again.Pages.Select(p => (p.Key, p.Value)));
        Assert.Equal((0, 0, 0, null), (again.Pieces.Count, again.Statuses.Count, again.Runs.Count, again.Image));
        Assert.Equal(length, new FileInfo(path).Length);
    }

    [Fact]
    public async Task ACQ_7_another_source_of_the_same_name_leaves_the_journal_and_only_restart_removes_it()
    {
        using Vault vault = place.Create();
        string path = await InterruptAsync(vault);
        byte[] journal = await File.ReadAllBytesAsync(path, TestVault.Stop);
        byte[] shorter = Content[..^Page];
        AcquisitionResult other = await AcquireAsync(vault, new FailingSource(shorter));
        Assert.Equal(0, other.Manifest.Runs[^1].Held);
        Assert.Equal(shorter, await TestVault.ExportAsync(vault, other));
        Assert.Equal(journal, await File.ReadAllBytesAsync(path, TestVault.Stop));

        other = await new Acquirer(vault).AcquireAsync(new FailingSource(shorter), Options with { Resume = false }, cancellation: TestVault.Stop);
        Assert.Equal(shorter, await TestVault.ExportAsync(vault, other));
        Assert.Empty(Journals());
    }

    [Fact]
    public async Task ACQ_7_a_journal_under_another_users_keys_is_left_where_it_is()
    {
        string path;
        using (Vault vault = place.Create())
            path = await InterruptAsync(vault);
        byte[] journal = await File.ReadAllBytesAsync(path, TestVault.Stop);
        File.Delete(Assert.Single(Directory.GetFiles(place.At("keys"), "journal.key")));
        using Vault later = place.Open();
        AcquisitionResult result = await new Acquirer(later).AcquireAsync(new FailingSource(Content), Options with { Resume = false }, cancellation: TestVault.Stop);
        Assert.Equal(0, result.Manifest.Runs[^1].Held);
        Assert.Equal([path], Journals());
        Assert.Equal(journal, await File.ReadAllBytesAsync(path, TestVault.Stop));
    }

    /// <summary>Interrupted again and again, a journal says each page once.</summary>
    [Fact]
    public async Task ACQ_7_going_on_does_not_repeat_what_the_journal_says()
    {
        using Vault vault = place.Create();
        string path = await InterruptAsync(vault);
        int before = (await File.ReadAllLinesAsync(path, TestVault.Stop)).Length;
        for (int i = 1; i <= 3; i++)
        {
            using var stop = new CancellationTokenSource();
            var listener = new Listener(p =>
            {
                if (p.Done > WholePages * Page)
                    stop.Cancel();
            });
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new Acquirer(vault).AcquireAsync(new FailingSource(Content), Options, listener, stop.Token));
            // Only that a run began.
            Assert.Equal(before + i, (await File.ReadAllLinesAsync(path, TestVault.Stop)).Length);
        }
    }

    [Theory]
    [InlineData("é")]
    [InlineData("\n\n\n")]
    [InlineData("0")]
    public async Task ACQ_7_whatever_a_torn_write_left_behind_the_last_line_is_no_line(string left)
    {
        using Vault vault = place.Create();
        string path = await InterruptAsync(vault);
        await File.AppendAllTextAsync(path, string.Concat(Enumerable.Repeat(left, 34)) + "\n", TestVault.Stop);
        AcquisitionResult result = await AcquireAsync(vault, new FailingSource(Content));
        Assert.Equal(WholePages * Page, result.Manifest.Runs[^1].Held);
        Assert.Equal(Content, await TestVault.ExportAsync(vault, result));
    }

    /// <summary>The journal counts on packs. Where they are gone or damaged, the source is asked again, and no image rests on them.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ACQ_7_what_became_of_the_packs_since_is_read_from_the_source_again(bool deleted)
    {
        using (Vault vault = place.Create())
            await InterruptAsync(vault);
        foreach (string pack in place.Layout.ListPacks().Select(place.Layout.Pack))
        {
            if (deleted)
                File.Delete(pack);
            else
                Damage(pack);
        }

        using Vault later = place.Open();
        if (!deleted)
        {
            // With the page of the map, what it names is read from the source again; that the copies which are there already are no good, reading back finds.
            EvidenceException error = await Assert.ThrowsAsync<EvidenceException>(() => AcquireAsync(later, new FailingSource(Content)));
            Assert.Equal(ErrorCode.ContentRefuted, error.Code);
            Assert.Contains("Run the same command again", error.Message, StringComparison.Ordinal);
            Assert.Empty(later.Images());
        }

        AcquisitionResult result = await AcquireAsync(later, new FailingSource(Content));
        Assert.True(result.Manifest.IsComplete);
        Assert.Equal(Content, await TestVault.ExportAsync(later, result));
        using Vault afresh = place.Open();
        Assert.Equal(Content, await TestVault.ExportAsync(afresh, result));
    }

    [Fact]
    public async Task ACQ_7_two_that_image_the_same_at_once_do_not_meet_and_who_is_killed_is_gone_on_with()
    {
        place.Create().Dispose();
        using Vault one = place.Open();
        using Vault other = place.Open();
        var begun = new TaskCompletionSource();
        using var interrupted = new ManualResetEventSlim();
        Task<AcquisitionResult> first = Task.Run(
            () => new Acquirer(one).AcquireAsync(
                new FailingSource(Content), Options,
                new Listener(_ =>
                {
                    begun.TrySetResult();
                    interrupted.Wait(TestVault.Stop);
                }),
                TestVault.Stop),
            TestVault.Stop);
        try
        {
            await Task.WhenAny(begun.Task, first);
            await InterruptAsync(other);
        }
        finally
        {
            interrupted.Set();
        }

        Assert.Equal([0L], (await first).Manifest.Runs.Select(r => r.Held));
        Assert.Single(Journals());
        AcquisitionResult second = await AcquireAsync(other, new FailingSource(Content));
        Assert.Equal([0, WholePages * Page], second.Manifest.Runs.Select(r => r.Held));
        Assert.Empty(Journals());
        Assert.Equal(Content, await TestVault.ExportAsync(one, await first));
        Assert.Equal(Content, await TestVault.ExportAsync(other, second));
        Assert.Equal(ContentVerdict.Verified, (await place.VerifyAsync()).Content);
    }

    [Fact]
    public async Task ACQ_7_two_that_go_on_at_once_both_end_with_the_image()
    {
        using (Vault vault = place.Create())
            await InterruptAsync(vault);
        AcquisitionResult[] results = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(
            async () =>
            {
                using Vault vault = place.Open();
                AcquisitionResult result = await AcquireAsync(vault, new FailingSource(Content));
                Assert.Equal(Content, await TestVault.ExportAsync(vault, result));
                return result;
            },
            TestVault.Stop)));
        Assert.Single(results.Select(r => r.Manifest.Root).Distinct());
        Assert.Contains(results, r => r.Manifest.Runs[^1].Held > 0);
        Assert.Empty(Journals());
        Assert.Equal(ContentVerdict.Verified, (await place.VerifyAsync()).Content);
    }

    public void Dispose() => place.Dispose();

    /// <summary>Three pages, two of them whole: data at both ends of each, zeros between.</summary>
    private static byte[] MakeContent()
    {
        var content = new byte[(WholePages * Page) + (9 << 20) + 700];
        for (int at = 0; at < content.Length; at += Page)
        {
            TestBytes.Random(200_000, at).CopyTo(content, at);
            TestBytes.Random(100_000, at + 1).CopyTo(content, Math.Min(at + Page, content.Length) - 100_000);
        }

        return content;
    }

    private static Task<AcquisitionResult> AcquireAsync(Vault vault, FailingSource source) =>
        new Acquirer(vault).AcquireAsync(source, Options, cancellation: TestVault.Stop);

    /// <summary>Breaks a run off when it has two whole pages; gives its journal.</summary>
    private async Task<string> InterruptAsync(Vault vault, byte[]? content = null)
    {
        string[] before = Journals();
        using var stop = new CancellationTokenSource();
        var listener = new Listener(p =>
        {
            if (p.Done > WholePages * Page)
                stop.Cancel();
        });
        AcquisitionOptions asOther = content is null ? Options : Options with { Item = "other" };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => new Acquirer(vault).AcquireAsync(new FailingSource(content ?? Content), asOther, listener, stop.Token));
        return Assert.Single(Journals().Except(before, StringComparer.Ordinal));
    }

    private string[] Journals() => Directory.Exists(place.Layout.Resume) ? Directory.GetFiles(place.Layout.Resume, "*.journal") : [];

    /// <summary>Opens the vault; something happens when the time of the ledger entry is asked for: the manifest is written, and the journal names it.</summary>
    private Vault Open(Action beforeEntry) => Vault.Open(place.Folder, place.Access with { Clock = new WatchedClock(place.Layout, beforeEntry) });

    private void KeepJournal()
    {
        string journal = Assert.Single(Journals());
        File.Copy(journal, place.At(Path.GetFileName(journal)), overwrite: true);
    }

    private void PutJournalBack()
    {
        string kept = Assert.Single(Directory.GetFiles(place.At("."), "*.journal"));
        File.Move(kept, Path.Combine(place.Layout.Resume, Path.GetFileName(kept)));
    }

    /// <summary>Changes a byte in the middle of each record.</summary>
    private static void Damage(string pack)
    {
        byte[] bytes = File.ReadAllBytes(pack);
        (long end, _, _) = PackFormat.DecodeFooter(bytes.AsSpan(bytes.Length - PackFormat.FooterSize), bytes.Length);
        for (int at = PackFormat.HeaderSize; at < end;)
        {
            RecordHeader header = RecordHeader.Decode(bytes.AsSpan(at, PackFormat.RecordHeaderSize));
            bytes[at + PackFormat.RecordHeaderSize + (header.StoredLength / 2)] ^= 1;
            at += PackFormat.RecordHeaderSize + header.StoredLength;
        }

        TestVault.Overwrite(pack, bytes);
    }

    private sealed class Listener(Action<AcquisitionProgress> report) : IProgress<AcquisitionProgress>
    {
        public void Report(AcquisitionProgress value) => report(value);
    }

    private sealed class WatchedClock(VaultLayout layout, Action manifestWritten) : IClock
    {
        public Instant GetCurrentInstant()
        {
            if (Directory.EnumerateFiles(layout.Images).Any())
                manifestWritten();
            return SystemClock.Instance.GetCurrentInstant();
        }
    }
}
