# The node beside CUDA, as a user without rights; docker run --gpus all. Never built: see
# docs/robot.md. The node has no engine on the GPU yet: until then it runs on the CPU in here.
FROM ros:jazzy-ros-base

ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN apt-get update && apt-get install --yes --no-install-recommends \
        python3-venv python3-opencv python3-pil python3-yaml \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home robot
USER robot
WORKDIR /home/robot/ws
# CUDA's libraries come as wheels, with the engine that wants them.
RUN python3 -m venv --system-site-packages .venv && touch .venv/COLCON_IGNORE \
    && .venv/bin/pip install --no-cache-dir \
        'onnxruntime-gpu[cuda,cudnn]' 'rosbags>=0.10,<0.13' 'mcap>=1.2,<2' rich
COPY --chown=robot . src/rganet_ros
RUN bash -c '. /opt/ros/jazzy/setup.bash && . .venv/bin/activate \
    && colcon build --packages-select rganet_ros'

ENTRYPOINT ["bash", "-c", ". /opt/ros/jazzy/setup.bash && . .venv/bin/activate && . install/setup.bash && exec ros2 launch rganet_ros perception.launch.py \"$@\"", "perception"]
