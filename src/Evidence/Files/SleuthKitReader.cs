using Evidence.Formats.Fuse;
using Evidence.Platform;
using Evidence.Vaults;

namespace Evidence.Files;

/// <summary>The Sleuth Kit's tools, over a mount of this process's own.</summary>
internal sealed class SleuthKitReader : IFileSystemReader
{
    private readonly string item;
    private readonly ScratchFolder scratch;
    private readonly ImageMount mount;
    private readonly CancellationTokenSource stop = new();
    private readonly Task running;

    /// <summary>Mounts an image.</summary>
    /// <param name="vault">Its vault.</param>
    /// <param name="image">The image.</param>
    /// <param name="item">What people call it.</param>
    /// <exception cref="EvidenceException">Nothing can be mounted here.</exception>
    internal SleuthKitReader(Vault vault, VaultImage image, string item)
    {
        this.item = item;
        scratch = ScratchFolder.Create(vault.Access.Logger);
        try
        {
            string folder = Directory.CreateDirectory(Path.Combine(scratch.FolderPath, "mounted")).FullName;
            // A tool that gives up at the first bad sector finds no file at all. What is returned is held against a reader that takes no zeros for content.
            mount = ImageMount.Mount(image, folder, options: new ImageReadOptions { Absent = AbsentBytes.Zero }, logger: vault.Access.Logger);
        }
        catch
        {
            scratch.Dispose();
            throw;
        }

        running = mount.RunAsync(stop.Token);
    }

    public string Name => "The Sleuth Kit";

    public IEnumerable<ImageFile> Walk(CancellationToken cancellation)
    {
        using IEnumerator<ImageFile> files = SleuthKit.Walk(mount.ImagePath, cancellation).GetEnumerator();
        for (bool isEmpty = true; ; isEmpty = false)
        {
            try
            {
                if (!files.MoveNext())
                {
                    if (isEmpty)
                        throw new EvidenceException(ErrorCode.FileRefused, $"The Sleuth Kit finds no file system in {item} that it knows. For others, XFS and Btrfs among them, 'evidence mount' it and use the kernel's: mount -o loop,ro.");
                    yield break;
                }
            }
            catch (FormatException e)
            {
                // What was cut off by the end of the tool is no fault of the image.
                cancellation.ThrowIfCancellationRequested();
                throw new EvidenceException(ErrorCode.FileRefused, e.Message, e);
            }

            yield return files.Current;
        }
    }

    /// <summary>fiwalk tells where files lie as it lists them.</summary>
    public ImageFile Locate(ImageFile file, CancellationToken cancellation) => file;

    public void Read(ImageFile file, Action<Stream> take, CancellationToken cancellation) => SleuthKit.Cat(mount.ImagePath, file, take, cancellation);

    public void Dispose()
    {
        stop.Cancel();
        try
        {
            running.GetAwaiter().GetResult();
        }
        finally
        {
            mount.Dispose();
            scratch.Dispose();
            stop.Dispose();
        }
    }
}
