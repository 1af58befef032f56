using Evidence.Platform;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Evidence.Tests.Platform;

/// <summary>What dead runs left goes; what is in use, or may be somebody's own, stays.</summary>
public sealed class LeftoversTests : IDisposable
{
    private readonly TemporaryFolder place = new();

    [Fact]
    public void A_file_of_a_dead_run_goes_and_all_others_stay()
    {
        string target = At("out.img");
        string[] stay =
        [
            "out.img", "out.img.part", "out.img.0123456.part", "out.img.012345678.part", "out.img.0123456G.part", "out.img.01234567.tmp", "other.img.01234567.part",
            "out.img.01234567.part.old", "my.out.img.01234567.part",
        ];
        foreach (string name in (string[])[.. stay, "out.img.01234567.part", "out.img.0123456789ab.part"])
            File.WriteAllText(At(name), name);
        Leftovers.RemoveFiles(target, ".part", NullLogger.Instance);
        Assert.Equal(stay.Order(StringComparer.Ordinal), Directory.GetFiles(place.Path).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_file_that_is_in_use_stays()
    {
        string part = At("out.img.01234567.part");
        using (File.OpenHandle(part, FileMode.CreateNew, FileAccess.Write, FileShare.None))
        {
            Leftovers.RemoveFiles(At("out.img"), ".part", NullLogger.Instance);
            Assert.True(File.Exists(part));
        }

        Leftovers.RemoveFiles(At("out.img"), ".part", NullLogger.Instance);
        Assert.False(File.Exists(part));
    }

    [Fact]
    public void Links_and_folders_of_such_names_stay()
    {
        File.WriteAllText(At("own"), "mine");
        File.CreateSymbolicLink(At("out.img.01234567.part"), At("own"));
        Directory.CreateDirectory(At("out.img.89abcdef.part"));
        Directory.CreateDirectory(At("elsewhere/staging"));
        File.WriteAllText(At("elsewhere/staging/lock"), "");
        Directory.CreateSymbolicLink(At("vault.0123456789ab.tmp"), At("elsewhere"));
        Leftovers.RemoveFiles(At("out.img"), ".part", NullLogger.Instance);
        Leftovers.RemoveFolders(At("vault"), "staging/lock", NullLogger.Instance);
        Assert.Equal("mine", File.ReadAllText(At("out.img.01234567.part")));
        Assert.True(Directory.Exists(At("out.img.89abcdef.part")));
        Assert.True(File.Exists(At("vault.0123456789ab.tmp/staging/lock")));
    }

    [Fact]
    public void A_folder_goes_only_when_its_lock_is_free()
    {
        foreach (string name in (string[])["vault.000000000001.tmp", "vault.000000000002.tmp", "vault.000000000003.tmp"])
            Directory.CreateDirectory(At(name + "/staging"));
        File.WriteAllText(At("vault.000000000001.tmp/staging/lock"), "");
        File.WriteAllText(At("vault.000000000003.tmp/diary"), "mine");
        using (FileLock.TryAcquire(At("vault.000000000002.tmp/staging/lock")))
            Leftovers.RemoveFolders(At("vault"), "staging/lock", NullLogger.Instance);
        // The third has no lock: nothing tells that it was made by this library.
        Assert.Equal(
            $"{At("vault.000000000002.tmp")} {At("vault.000000000003.tmp")}", string.Join(' ', Directory.GetDirectories(place.Path).Order(StringComparer.Ordinal)));
        Leftovers.RemoveFolders(At("vault"), "staging/lock", NullLogger.Instance);
        Assert.Equal(At("vault.000000000003.tmp"), Assert.Single(Directory.GetDirectories(place.Path)));
    }

    [Fact]
    public void A_lock_is_not_made_where_there_is_none()
    {
        Assert.Null(FileLock.TryAcquireExisting(At("lock")));
        File.CreateSymbolicLink(At("link"), At("lock"));
        Assert.Null(FileLock.TryAcquireExisting(At("link")));
        Assert.False(File.Exists(At("lock")));
    }

    [Fact]
    public async Task Scratch_folders_of_others_are_left_alone()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 50; i++)
            {
                using var scratch = ScratchFolder.Create(NullLogger.Instance);
                string file = Path.Combine(scratch.FolderPath, "mine");
                File.WriteAllText(file, "mine");
                Assert.Equal("mine", File.ReadAllText(file));
            }
        })));
    }

    [Fact]
    public void A_scratch_folder_of_a_dead_process_goes_with_the_next()
    {
        string dead = Directory.CreateTempSubdirectory("evidence-scratch-").FullName;
        File.WriteAllText(Path.Combine(dead, "lock"), "");
        File.WriteAllText(Path.Combine(dead, "1.run"), "a run");
        string unlocked = Directory.CreateTempSubdirectory("evidence-scratch-").FullName;
        try
        {
            using (ScratchFolder.Create(NullLogger.Instance))
            {
                Assert.False(Directory.Exists(dead));
                // Without a lock it may be one that is just being made.
                Assert.True(Directory.Exists(unlocked));
            }
        }
        finally
        {
            Directory.Delete(unlocked);
        }
    }

    public void Dispose() => place.Dispose();

    private string At(string name) => Path.Combine(place.Path, name);
}
