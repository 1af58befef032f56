using System.Collections.Concurrent;
using System.Diagnostics;
using Evidence.Ledger;
using Evidence.Tests.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Verification;

/// <summary>
/// No byte of a published file is without meaning: each, when one of its bits is changed, refutes the vault and is found in the file where it was changed.
/// </summary>
public sealed class EveryByteTests
{
    [Fact]
    [Trait("Requirement", "OUT-1")]
    public async Task A_changed_bit_in_any_byte_of_any_file_is_found_in_that_file()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        Assert.Equal(ContentVerdict.Verified, (await vault.VerifyAsync()).Content);
        string[] files = vault.Place.PublishedFiles();
        Assert.Contains(files, f => f.StartsWith("packs/", StringComparison.Ordinal));
        Assert.Contains(files, f => f.StartsWith("images/", StringComparison.Ordinal));
        Assert.Contains(files, f => f == "ledger/checkpoint");

        // With EVIDENCE_LONG=1 every byte. Else every byte where each has a meaning of its own, and some of those that are as good as their neighbours:
        // each 41st of segments' stored bytes, each 3rd of the ledger's newest bundle of entries, each 17th of the older bundles that it superseded.
        bool all = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1";
        string newestBundle = files.Last(f => f.StartsWith("ledger/tile/entries/", StringComparison.Ordinal));
        var work = new ConcurrentQueue<(string File, int Offset)>();
        foreach (string file in files)
        {
            int length = (int)new FileInfo(Path.Combine(vault.Place.Folder, file)).Length;
            HashSet<int> payload = [.. PackMap.PayloadOf(vault.Place.Folder, file)];
            int stride = !file.StartsWith("ledger/tile/entries/", StringComparison.Ordinal) ? 1 : file == newestBundle ? 3 : 17;
            for (int offset = 0; offset < length; offset++)
            {
                if (all || offset % (payload.Contains(offset) ? 41 : stride) == 0)
                    work.Enqueue((file, offset));
            }
        }

        int total = work.Count;
        var wrong = new ConcurrentQueue<string>();
        // A copy of the vault for each worker, and keys: a verification remembers what it saw.
        Task[] workers = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(number => Task.Run(
            async () =>
            {
                string folder = vault.Place.At($"copy-{number}");
                TestVault.Copy(vault.Place.Folder, folder);
                string home = vault.Place.At($"keys-{number}");
                TestVault.Copy(vault.Place.At("keys"), home);
                var options = new VerificationOptions { Keys = new KeyStore(home) };
                while (wrong.Count < 40 && work.TryDequeue(out var next))
                    await TryAsync(vault, folder, next.File, next.Offset, options, wrong);
            },
            TestVault.Stop))];
        await Task.WhenAll(workers);
        Assert.True(wrong.IsEmpty, $"Of {total} changed bytes:\n{string.Join('\n', wrong)}");
    }

    private static async Task TryAsync(
        SmallVault vault, string folder, string file, int offset, VerificationOptions options, ConcurrentQueue<string> wrong)
    {
        string path = Path.Combine(folder, file);
        int bit = offset % 8;
        byte[] bytes = await File.ReadAllBytesAsync(path, TestVault.Stop);
        bytes[offset] ^= (byte)(1 << bit);
        TestVault.Overwrite(path, bytes);
        string what = $"{file}, bit {bit} of byte {offset}";
        var watch = Stopwatch.StartNew();
        try
        {
            VerificationReport report = await vault.VerifyAsync(folder, options);
            if (report.Content != ContentVerdict.Refuted)
                wrong.Enqueue($"{what} was not refuted: {SmallVault.Describe(report)}");
            else if (!SmallVault.FindingsOf(report).Any(f => f.Verdict == ContentVerdict.Refuted && f.File == file))
                wrong.Enqueue($"{what} was refuted, but not in that file: {SmallVault.Describe(report)}");
            if (watch.Elapsed > TimeSpan.FromSeconds(20))
                wrong.Enqueue($"{what} took {watch.Elapsed}");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            wrong.Enqueue($"{what} ended the verification: {e.GetType().Name}: {e.Message} {e.StackTrace?.Split('\n')[0]}");
        }
        finally
        {
            bytes[offset] ^= (byte)(1 << bit);
            TestVault.Overwrite(path, bytes);
        }
    }
}
